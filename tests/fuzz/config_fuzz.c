/* Any bytes as a configuration: refused with a mistake, or whole and consistent. */
#include <stdlib.h>

#include "control/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_snapshot(const struct config *c)
{
	const struct snapshot *s = &c->snapshot;

	check(c->dp.workers >= 1 && c->dp.workers <= DP_MAX_WORKERS);
	check(c->dp.ports >= 1 && c->dp.ports <= DP_MAX_PORTS);
	check(s->realms >= 1 && s->realms <= SNAPSHOT_MAX_REALMS);
	check(s->listeners <= SNAPSHOT_MAX_LISTENERS && s->peers <= SNAPSHOT_MAX_PEERS);
	check(s->routes <= SNAPSHOT_MAX_ROUTES && s->domains <= SNAPSHOT_MAX_DOMAINS);
	for (uint32_t i = 0; i < s->realms; i++) {
		check(c->dp.realm_port[i] < c->dp.ports && s->realm[i].media_ip);
		check(s->realm[i].media_lo >= 1024 && s->realm[i].media_lo < s->realm[i].media_hi);
	}
	for (uint32_t i = 0; i < s->listeners; i++)
		check(s->listener[i].realm < s->realms && net_addr_is_set(s->listener[i].addr));
	for (uint32_t i = 0; i < s->peers; i++)
		check(s->peer[i].realm < s->realms && net_addr_is_set(s->peer[i].addr));
	for (uint32_t i = 0; i < s->routes; i++) {
		check(s->route[i].from < s->realms);
		check(s->route[i].target == SNAPSHOT_TO_REGISTERED || s->route[i].peer < s->peers);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config_report report;
	struct config *c;

	c = config_parse("fuzz", (const char *)data, size, CONFIG_CHECK_TEXT, &report);
	check((c != NULL) == (report.count == 0));
	if (c)
		check_snapshot(c);
	free(c);
	return 0;
}
