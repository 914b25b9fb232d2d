#include "control/records.h"

#include "control/ctl_request.h"
#include "control/log.h"

static struct {
	bool on;
	struct log_site began, answered, ended, registered, unregistered, media;
} records;

void records_init(uint32_t rate)
{
	records.on = rate > 0;
	records.began.burst = rate;
	records.answered.burst = rate;
	records.ended.burst = rate;
	records.registered.burst = rate;
	records.unregistered.burst = rate;
	records.media.burst = rate;
}

static const char *realm_name(const struct snapshot *s, uint16_t i)
{
	return i < s->realms ? s->realm[i].name : "none";
}

static uint64_t between(uint64_t from, uint64_t to)
{
	return from && to > from ? to - from : 0;
}

#define CALL(s, r, id)                                                                             \
	LOG_ID("call", (id)), LOG_STR("from_realm", realm_name((s), (r)->from_realm)),             \
		LOG_STR("from", (r)->from_user),                                                   \
		LOG_STR("to_realm", realm_name((s), (r)->to_realm)), LOG_STR("to", (r)->to_user)

static void log_began(const struct snapshot *s, const struct engine_record *r, uint64_t id)
{
	log_emit(&records.began, LOG_LEVEL_INFO,
		 (const struct log_field[]){LOG_MSG("call began"), CALL(s, r, id), {0}});
}

static void log_answered(const struct snapshot *s, const struct engine_record *r, uint64_t id)
{
	log_emit(&records.answered, LOG_LEVEL_INFO,
		 (const struct log_field[]){LOG_MSG("call answered"),
					    CALL(s, r, id),
					    LOG_U64("setup_ms", between(r->began_ms, r->at_ms)),
					    {0}});
}

static void log_ended(const struct snapshot *s, const struct engine_record *r, uint64_t id)
{
	log_emit(&records.ended, LOG_LEVEL_INFO,
		 (const struct log_field[]){LOG_MSG("call ended"),
					    CALL(s, r, id),
					    LOG_STR("end", engine_end_name(r->end)),
					    LOG_U64("status", r->status),
					    LOG_U64("total_ms", between(r->began_ms, r->at_ms)),
					    LOG_U64("talk_ms", between(r->answered_ms, r->at_ms)),
					    {0}});
}

static void log_registration(const struct snapshot *s, const struct engine_record *r, bool gone)
{
	log_emit(gone ? &records.unregistered : &records.registered, LOG_LEVEL_INFO,
		 (const struct log_field[]){LOG_MSG(gone ? "unregistered" : "registered"),
					    LOG_STR("user", r->from_user),
					    LOG_STR("realm", realm_name(s, r->from_realm)),
					    LOG_STR("to_realm", realm_name(s, r->to_realm)),
					    {0}});
}

/* What one side sent: packets and bytes of earlier processes, and on other nodes, count too. */
static void log_media(const struct snapshot *s, const struct engine_record *r, uint64_t id)
{
	log_emit(&records.media, LOG_LEVEL_INFO,
		 (const struct log_field[]){LOG_MSG("media ended"),
					    LOG_ID("call", id),
					    LOG_STR("from_realm", realm_name(s, r->from_realm)),
					    LOG_STR("to_realm", realm_name(s, r->to_realm)),
					    LOG_U64("port", r->media.port),
					    LOG_U64("stream", r->media.stream),
					    LOG_U64("leg", r->media.leg),
					    LOG_STR("kind", r->media.rtcp ? "rtcp" : "rtp"),
					    LOG_U64("packets", r->media.packets),
					    LOG_U64("bytes", r->media.bytes),
					    LOG_U64("lost", r->media.lost),
					    LOG_U64("jitter_us", r->media.jitter_us),
					    {0}});
}

void records_log(const struct snapshot *s, const struct engine_record *r, uint16_t worker)
{
	uint64_t id = ctl_call_id(worker, r->call);

	if (!records.on)
		return;
	switch (r->kind) {
	case RECORD_CALL_BEGIN:
		log_began(s, r, id);
		return;
	case RECORD_CALL_ANSWERED:
		log_answered(s, r, id);
		return;
	case RECORD_CALL_END:
		log_ended(s, r, id);
		return;
	case RECORD_REGISTERED:
	case RECORD_UNREGISTERED:
		log_registration(s, r, r->kind == RECORD_UNREGISTERED);
		return;
	case RECORD_MEDIA:
		log_media(s, r, id);
		return;
	}
}
