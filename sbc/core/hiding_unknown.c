/*
 * Headers that the table does not know, on their way to a realm that carries
 * them. Two things still hold: headers made to describe a network do not cross,
 * and a value that repeats an identifier or host of its own message does not
 * (X-Call-ID headers of switches are the usual case).
 */
#include "sbc/core/hiding_internal.h"
#include "sbc/sip/uri.h"
#include "sbc/sip/via.h"

/* Shorter strings are in other words by chance. */
#define NEEDLE_MIN 6u
#define NEEDLE_MAX 64u

/*
 * RFC 4538, RFC 3329, RFC 8498, RFC 8496, RFC 5626, RFC 6809, RFC 5502, RFC 8197
 * and 3GPP TS 24.229; and what stacks write to themselves about a peer's address.
 */
static const char network_names[] =
	"Target-Dialog Security-Client Security-Server Security-Verify Flow-Timer "
	"Feature-Caps Refer-Events-At Hide Encryption Response-Key Same-Identity "
	"Additional-Identity Attestation-Info Origination-Id Cellular-Network-Info "
	"Relayed-Charge Restoration-Info Resource-Share Response-Source "
	"Service-Interact-Info Priority-Share Priority-Verstat Geolocation-Error "
	"Geolocation-Routing Permission-Missing Trigger-Consent Policy-Contact Policy-ID "
	"Received-Realm Reply-By Identity-Info Dialog-Info X-Real-IP X-Forwarded-For "
	"X-Source-IP X-Received X-Via X-Contact X-Original-To";

bool hiding_carries_unknown(struct slice name)
{
	if (!wire_all(name, WIRE_TOKEN))
		return false;
	/* RFC 3427 4.1's private headers: each describes somebody's network. */
	if (name.n > 2 && slice_ieq(slice_of(name.p, 2), SLICE_LIT("P-")))
		return false;
	return !wire_in(network_names, name);
}

static void needle_add(struct hiding_ctx *c, struct slice s)
{
	if (s.n < NEEDLE_MIN || c->needles == HIDING_NEEDLES)
		return;
	if (s.n > NEEDLE_MAX)
		s.n = NEEDLE_MAX;
	c->needle[c->needles++] = s;
}

static void host_add(struct hiding_ctx *c, struct slice host)
{
	if (!snapshot_host_is_shared(c->snap, host) && !snapshot_host_is_ours(c->snap, host))
		needle_add(c, host);
}

static void address_add(struct hiding_ctx *c, enum sip_hdr id)
{
	struct sip_addr a;
	struct sip_uri u;

	if (sip_addr_of(c->msg, id, &a) != SBC_OK)
		return;
	needle_add(c, sip_addr_tag(&a));
	if (!a.is_star && sip_uri_parse(&u, a.uri) == SBC_OK)
		host_add(c, u.host);
}

static void needles_read(struct hiding_ctx *c)
{
	struct slice call_id = sip_msg_value(c->msg, SIP_HDR_CALL_ID);
	int32_t at = slice_find(call_id, '@');
	struct sip_via via;

	c->needles_read = true;
	needle_add(c, at < 0 ? call_id : slice_of(call_id.p, (uint32_t)at));
	if (sip_via_top(c->msg, &via) == SBC_OK) {
		needle_add(c, via.branch);
		host_add(c, via.host);
	}
	address_add(c, SIP_HDR_FROM);
	address_add(c, SIP_HDR_CONTACT);
	address_add(c, SIP_HDR_TO);
}

bool hiding_value_tells(struct hiding_ctx *c, struct slice value)
{
	if (!c->needles_read)
		needles_read(c);
	for (uint8_t i = 0; i < c->needles; i++)
		if (wire_isearch(value, c->needle[i]) >= 0)
			return true;
	return false;
}
