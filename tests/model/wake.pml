/*
 * Falling asleep and being rung for (dataplane/wait.h), on processors that let a load
 * pass the stores before it: each side's store waits in a buffer until a fence, or
 * whenever the processor likes. A putter puts PUTS things; the worker takes all it finds
 * and may sleep only when it has looked once more after it said that it sleeps. Nothing
 * may lie in the ring while the worker sleeps and nobody is about to ring.
 *
 * BREAK_FENCE_PUT, BREAK_FENCE_SLEEP, BREAK_LOOK each take one rule away.
 */
#define PUTS 3

byte ring;         /* what everybody sees */
byte pending;      /* the putter's store on its way */
bool asleep;       /* what everybody sees */
bool asleep_later; /* the worker's store on its way */
bool bell;
bool blocked, ringing;
byte taken;

inline flush_put() { atomic { ring = ring + pending; pending = 0 } }
inline flush_sleep() { atomic { if :: asleep_later -> asleep = true; asleep_later = false :: else fi } }

active proctype processor() {
	/* Stores become seen when it likes. */
end:	do
	:: pending > 0 -> flush_put()
	:: asleep_later -> flush_sleep()
	od
}

active proctype putter() {
	byte i;
	bool seen;

	for (i : 1 .. PUTS) {
		atomic { pending++; ringing = true }
#ifndef BREAK_FENCE_PUT
		flush_put();
#endif
		seen = asleep;
		if
		:: seen ->
			/* The exchange: one takes the flag, and rings. It is a fence, too. */
			atomic { flush_put(); seen = asleep; asleep = false };
			if :: seen -> bell = true :: else fi
		:: else
		fi;
		ringing = false
	}
}

active proctype worker() {
	byte found;

	do
	:: taken == PUTS -> break
	:: else ->
		atomic { found = ring; ring = ring - found; taken = taken + found };
		if
		:: found > 0
		:: else ->
			asleep_later = true;
#ifndef BREAK_FENCE_SLEEP
			flush_sleep();
#endif
#ifndef BREAK_LOOK
			atomic { found = ring; ring = ring - found; taken = taken + found };
#endif
			if
			:: found > 0
			:: else ->
				blocked = true;
				atomic { bell -> bell = false; blocked = false }
			fi;
			atomic { asleep_later = false; asleep = false }
		fi
	od
}

/* Blocked for ever with something to take is the lost wake-up: an invalid end state. */
