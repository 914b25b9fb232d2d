/*
 * The lease protocol of one group (control/lease.h), small enough to be searched
 * whole. Time is ticks of each node's own clock, which come in turn. A
 * node takes a step when it likes to: that it is stopped, that Redis is down or
 * frozen, and that messages are late need nothing more. What was overtaken is lost.
 *
 * NODES, FAILOVERS and CRASHES are set from outside; LEASE and ALONE are ticks (ALONE 0:
 * nobody is put out). Each BREAK_* takes one rule away. check.py says which sizes are
 * searched, and with which rules gone spin must find two owners.
 */
#define WAIT    (LEASE + 1)
#define APART   (ALONE + 1 + WAIT)
#define NEVER   255
#define NOBODY  NODES       /* the record says: released */
#define MISSING (NODES + 1) /* there is no record */

#define AT(a, b) ((a) * NODES + (b))

/* Redis; `mine[i]`: the record is that of i's present ownership */
byte owner = MISSING, before = MISSING;
bool mine[NODES], mine_before[NODES], in[NODES];
bool young; /* the last claim may still get lost */
byte failovers = FAILOVERS, crashes = CRASHES;

byte turn; /* whose clock ticks next: in any time, two differ by at most a tick */

/* what a node knows; times left, or passed (saturating) */
bool own[NODES], joined[NODES];
byte until[NODES], said[NODES], promised[NODES] = WAIT;
byte granted[NODES * NODES], rely[NODES * NODES];
bool counts[NODES * NODES], seen[NODES]; /* seen: the record is as it was read */
byte age[NODES], settled[NODES], joined_for[NODES], counted_for[NODES] = NEVER;

/* under way: their age by the clock of who began, NEVER: none */
byte beat[NODES * NODES] = NEVER, grant[NODES * NODES] = NEVER;
bool beat_counts[NODES * NODES];
byte renewal[NODES] = NEVER, claim[NODES] = NEVER;
bool renewed[NODES], claimed[NODES];
bool expects[NODES]; /* the record is still what the claim says that it must be */
bool lost[NODES];    /* nobody will answer that claim */
bool report[NODES * NODES];

byte i, j, k, n, m, step, way;
#define CLAIMING 14 /* steps that may go one way or another */
#define FAILING  20

inline each_down(x) { if :: x > 0 -> x-- :: else fi }
inline each_up(x, top) { if :: x < top -> x++ :: else fi }

inline tick() {
	each_down(until[i]); each_down(said[i]); each_down(promised[i]);
	each_up(age[i], WAIT); each_up(settled[i], WAIT); each_up(joined_for[i], APART);
	if :: counted_for[i] != NEVER -> each_up(counted_for[i], WAIT) :: else fi;
	if :: renewal[i] < LEASE -> renewal[i]++ :: else renewal[i] = NEVER; renewed[i] = false fi;
	if :: claim[i] < LEASE -> claim[i]++ :: else fi;
	if :: own[i] -> age[i] = 0 :: else fi;
	if :: !joined[i] -> joined_for[i] = 0 :: else fi;
#if FAILOVERS == 0
	settled[i] = WAIT;
#endif
	for (k : 0 .. NODES - 1) {
		each_down(granted[AT(i, k)]); each_down(rely[AT(i, k)]);
		if :: beat[AT(i, k)] < LEASE -> beat[AT(i, k)]++ :: else beat[AT(i, k)] = NEVER fi;
		if :: grant[AT(k, i)] < LEASE -> grant[AT(k, i)]++ :: else grant[AT(k, i)] = NEVER fi
	}
	turn = (turn + 1) % NODES
}

inline changed() { for (k : 0 .. NODES - 1) { seen[k] = false; expects[k] = false } }

inline new_token() {
	joined[i] = false; counted_for[i] = NEVER; joined_for[i] = 0;
	for (k : 0 .. NODES - 1) { beat_counts[AT(k, i)] = false }
}

inline forget_ownership() {
	own[i] = false; until[i] = 0; said[i] = 0; renewal[i] = NEVER; renewed[i] = false;
	for (k : 0 .. NODES - 1) {
		granted[AT(i, k)] = 0; grant[AT(k, i)] = NEVER; beat[AT(i, k)] = NEVER;
		beat_counts[AT(i, k)] = false; counts[AT(i, k)] = false; rely[AT(i, k)] = 0
	}
}

/* what the reply to a script says of the members, and how long that is good for */
inline read_members(old) {
	for (k : 0 .. NODES - 1) {
		counts[AT(i, k)] = report[AT(i, k)];
		if
		:: !report[AT(i, k)] && !young && ALONE > old -> rely[AT(i, k)] = ALONE - old
		:: else -> rely[AT(i, k)] = 0
		fi
	}
}
inline report_members() { for (k : 0 .. NODES - 1) { report[AT(i, k)] = in[k] } }

/* by the grants of all, or the absence of those that are out */
inline extend() {
	n = said[i];
	for (k : 0 .. NODES - 1) {
		m = granted[AT(i, k)];
		if :: rely[AT(i, k)] > m && !counts[AT(i, k)] -> m = rely[AT(i, k)] :: else fi;
#ifdef BREAK_MEMBERS
		m = NEVER;
#endif
		if :: k != i && m < n -> n = m :: else fi
	}
	if :: n > until[i] -> until[i] = n :: else fi
}

#define serving(x) (own[x] && until[x] > 0)
#ifdef BREAK_EXPIRY
#define may_renew(x) own[x]
#else
#define may_renew(x) serving(x)
#endif
#ifdef BREAK_WAIT
#define silent(x) true
#else
#define silent(x) (age[x] >= WAIT)
#endif
#ifdef BREAK_PROMISE
#define free_to_claim(x) true
#else
#define free_to_claim(x) (promised[x] == 0)
#endif
#ifdef BREAK_APART
#define apart(x) true
#else
#define apart(x) (counted_for[x] == WAIT || joined_for[x] == APART)
#endif
#ifdef BREAK_SETTLE
#define is_free(x) (owner == NOBODY)
#else
#define is_free(x) (owner == NOBODY && settled[x] >= WAIT)
#endif
/* `counted_for` is by the owner; with no record nobody is known to count */
#define may_claim(x) (joined[x] && seen[x] && claim[x] == NEVER && !lost[x] && free_to_claim(x) && \
	(is_free(x) || (owner != NOBODY && silent(x) && \
	 (owner == x || (owner == MISSING && joined_for[x] == APART) || (owner < NODES && apart(x))))))

inline run_claim() {
	if
	:: expects[i] && in[i] ->
		before = owner;
		for (k : 0 .. NODES - 1) { mine_before[k] = mine[k]; mine[k] = false }
		if :: owner < NODES && owner != i -> if :: way == 1 && ALONE > 0 -> in[owner] = false :: else fi :: else fi;
		owner = i; mine[i] = true; young = true; changed(); report_members();
		claimed[i] = true
	:: else -> claim[i] = NEVER; claimed[i] = false
	fi
}

inline claim_answered() {
	if
	:: serving(i) -> skip /* claimed again what it serves */
	:: else ->
		forget_ownership();
		if
		:: claim[i] < LEASE -> own[i] = true; until[i] = LEASE - claim[i]
		:: else -> new_token()
		fi
	fi;
	if :: own[i] -> if :: claim[i] < LEASE && LEASE - claim[i] > until[i] -> until[i] = LEASE - claim[i] :: else fi;
		read_members(claim[i]) :: else fi;
	claim[i] = NEVER; claimed[i] = false
}

/* another server: the last claim is lost if young, or all is; nothing under way arrives */
inline failover() {
	failovers--;
	if
	:: way == 1 && young -> owner = before;
		for (k : 0 .. NODES - 1) { mine[k] = mine_before[k] }
	:: way == 2 -> owner = MISSING;
		for (k : 0 .. NODES - 1) { mine[k] = false; in[k] = false }
	:: else
	fi;
	young = false; changed();
	for (k : 0 .. NODES - 1) {
		age[k] = 0; settled[k] = 0;
		if :: renewal[k] != NEVER && !renewed[k] -> renewal[k] = NEVER :: else fi;
		if :: claim[k] != NEVER && !claimed[k] -> claim[k] = NEVER; lost[k] = true :: else fi;
		expects[k] = false;
		joined_for[k] = 0
	}
}

inline crash() {
	crashes--;
	forget_ownership(); new_token();
	claim[i] = NEVER; claimed[i] = false; lost[i] = false; expects[i] = false; /* the token is another */
	promised[i] = WAIT; age[i] = 0; settled[i] = 0; seen[i] = false;
	mine[i] = false; mine_before[i] = false;
	for (k : 0 .. NODES - 1) { grant[AT(i, k)] = NEVER; counts[AT(i, k)] = false; rely[AT(i, k)] = 0 }
}

/* what has no meaning any more must not make states differ */
inline tidy() {
	for (k : 0 .. NODES - 1) {
		if :: beat[AT(i, k)] == NEVER -> beat_counts[AT(i, k)] = false :: else fi;
		if :: !renewed[i] && !claimed[i] -> report[AT(i, k)] = false :: else fi
	}
	if :: claim[i] == NEVER && !lost[i] -> expects[i] = false :: else fi;
	for (k : 0 .. NODES - 1) {
		skip;
#if ALONE == 0
		joined_for[k] = APART; counted_for[k] = WAIT
#endif
	}
	if :: failovers == 0 ->
		before = 0;
		for (k : 0 .. NODES - 1) { mine_before[k] = false }
	:: else fi
}

inline check() {
	n = 0;
	for (k : 0 .. NODES - 1) { if :: serving(k) -> n++ :: else fi }
	assert(n <= 1)
}

inline choose() {
	select_node(i); select_node(j)
}
inline select_way() { if :: way = 0 :: way = 1 :: step == FAILING -> way = 2 fi }
inline select_node(x) {
	if :: x = 0 :: x = 1
#if NODES > 2
	:: x = 2
#endif
	fi
}

active proctype world() {
	do
	:: atomic {
		/* which step; what it does is then one transition */
		choose();
		if
		:: turn == i -> step = 0
		:: own[i] && until[i] == 0 -> step = 1
		:: serving(i) -> step = 2
		:: i != j && beat[AT(i, j)] != NEVER -> step = 3
		:: i != j && grant[AT(j, i)] != NEVER && serving(i) -> step = 4
		:: serving(i) -> step = 5
		:: may_renew(i) && renewal[i] == NEVER -> step = 6
		:: renewal[i] != NEVER && !renewed[i] -> step = 7
		:: renewal[i] != NEVER && renewed[i] && own[i] -> step = 8
		:: !seen[i] -> step = 9
		:: joined[i] && !in[i] -> step = 10
		:: !joined[i] -> step = 11
		:: may_claim(i) && !own[i] -> step = 12
		:: serving(i) && !mine[i] && joined[i] && seen[i] && claim[i] == NEVER && !lost[i] -> step = 13
		:: claim[i] != NEVER && !claimed[i] -> step = 14
		:: claimed[i] -> step = 15
		:: claim[i] != NEVER && !lost[i] && !serving(i) -> step = 16
		:: lost[i] && expects[i] && in[i] && !joined[i] && owner != i -> step = 17
		:: serving(i) && mine[i] -> step = 18
		:: young -> step = 19
		:: failovers > 0 -> step = 20
		:: crashes > 0 -> step = 21
		fi;
		if :: step == CLAIMING || step == FAILING -> select_way() :: else -> way = 0 fi;
		d_step {
		if
		:: step == 0 -> tick()
		/* an owner's time is up, and it notices */
		:: step == 1 -> forget_ownership(); new_token()
		/* heartbeats and grants */
		:: step == 2 -> said[i] = LEASE;
			for (k : 0 .. NODES - 1) {
				if :: k != i -> beat[AT(i, k)] = 0; beat_counts[AT(i, k)] = counts[AT(i, k)] :: else fi
			}
		:: step == 3 ->
			if
			:: !own[j] && claim[j] == NEVER && !lost[j] -> promised[j] = WAIT; grant[AT(j, i)] = beat[AT(i, j)]
			:: else
			fi;
			if :: beat_counts[AT(i, j)] && joined[j] && owner == i && counted_for[j] == NEVER -> counted_for[j] = 0 :: else fi;
			beat[AT(i, j)] = NEVER
		:: step == 4 ->
#ifdef BREAK_SENDING
			granted[AT(i, j)] = LEASE;
#else
			if :: LEASE - grant[AT(j, i)] > granted[AT(i, j)] -> granted[AT(i, j)] = LEASE - grant[AT(j, i)] :: else fi;
#endif
			grant[AT(j, i)] = NEVER; extend()
		:: step == 5 -> extend()
		/* renewing: sent, carried out, answered */
		:: step == 6 -> renewal[i] = 0; renewed[i] = false
		:: step == 7 ->
			if
			:: mine[i] -> changed(); report_members(); renewed[i] = true
			:: else -> renewal[i] = NEVER
			fi
		:: step == 8 ->
			if :: LEASE - renewal[i] > until[i] -> until[i] = LEASE - renewal[i] :: else fi;
			read_members(renewal[i]);
			renewal[i] = NEVER; renewed[i] = false
		/* reading, coming in */
		:: step == 9 -> seen[i] = true; age[i] = 0;
			if :: owner < NODES && !counts[AT(owner, i)] -> counted_for[i] = NEVER :: else fi
		:: step == 10 -> new_token()
		:: step == 11 -> new_token(); in[i] = true; joined[i] = true; joined_for[i] = 0;
			lost[i] = false; expects[i] = false
		/* claiming: sent, carried out, answered; or never answered, and carried out late */
		:: step == 12 -> claim[i] = 0; claimed[i] = false; expects[i] = true
		:: step == 13 ->
			claim[i] = 0; claimed[i] = false; expects[i] = true
		:: step == 14 -> run_claim()
		:: step == 15 -> claim_answered()
		:: step == 16 -> lost[i] = true; claim[i] = NEVER; claimed[i] = false;
			joined[i] = false
		:: step == 17 ->
			/* late: it changes the record, and nobody serves for it */
			before = owner; owner = i; young = true;
			for (k : 0 .. NODES - 1) { mine_before[k] = mine[k]; mine[k] = false }
			changed()
		/* giving up, what gets old, and what breaks */
		:: step == 18 -> owner = NOBODY; mine[i] = false; forget_ownership(); changed()
		:: step == 19 -> young = false
		:: step == 20 -> failover()
		:: step == 21 -> crash()
		fi;
		tidy(); check();
		i = 0; j = 0; k = 0; n = 0; m = 0; step = 0; way = 0
		}
	}
	od
}
