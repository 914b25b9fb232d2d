/*
 * The drop and refusal reasons, by the stage that meets them. See reason.h.
 * Append within a stage; names are for good.
 */
#ifndef SBC_BASE_REASONS_DEF_H
#define SBC_BASE_REASONS_DEF_H

#define REASONS(X)                                                                                 \
	REASONS_LINK(X)                                                                            \
	REASONS_MEDIA(X)                                                                           \
	REASONS_SIP(X)                                                                             \
	REASONS_CALL(X)

/* Ethernet to UDP: dataplane/ */
#define REASONS_LINK(X)                                                                            \
	X(L2_SHORT, "l2-short", "frame shorter than its Ethernet or VLAN header")                  \
	X(L2_VLAN, "l2-vlan", "VLAN tag that no port of ours has")                                 \
	X(L2_TYPE, "l2-type", "neither ARP, IPv4 nor IPv6 that asks for us")                       \
	X(L2_OTHER, "l2-other", "frame for another station, or IPv4 to all stations")              \
	X(ARP_BAD, "arp-bad", "ARP packet malformed or contradicting its sender")                  \
	X(ARP_OTHER, "arp-other", "ARP request or reply for an address that is not ours")          \
	X(IP_BAD, "ip-bad", "IPv4 header malformed, truncated or with a wrong checksum")           \
	X(IP_NOT_OURS, "ip-not-ours", "IPv4 destination that is not one of our addresses")         \
	X(IP_SOURCE, "ip-source", "source address that no host can have")                          \
	X(IP_TTL, "ip-ttl", "time to live is zero")                                                \
	X(FRAG_BAD, "frag-bad", "IPv4 fragments overlapping, too many or beyond 64 KiB")           \
	X(FRAG_TABLE, "frag-table", "no room to reassemble another datagram")                      \
	X(FRAG_TIMEOUT, "frag-timeout", "fragments whose rest did not come in time")               \
	X(IP_PROTO, "ip-proto", "IP protocol that is neither ICMP nor UDP")                        \
	X(ICMP_OTHER, "icmp-other", "ICMP that is not an echo request to us, or malformed")        \
	X(ICMP_RATE, "icmp-rate", "echo requests beyond the answer rate")                          \
	X(UDP_BAD, "udp-bad", "UDP header malformed or truncated")                                 \
	X(UDP_CHECKSUM, "udp-checksum", "UDP checksum wrong")                                      \
	X(UDP_PORT, "udp-port", "UDP port where nothing listens")                                  \
	X(RING_FULL, "ring-full", "hand-off ring to the owning worker was full")                   \
	X(NO_MBUF, "no-mbuf", "no packet buffer free")                                             \
	X(TX_FULL, "tx-full", "device took no more packets")                                       \
	X(NEIGH_PENDING, "neigh-pending", "next hop unresolved and its queue full")                \
	X(NEIGH_FAILED, "neigh-failed", "next hop did not answer ARP")                             \
	X(NEIGH_TABLE, "neigh-table", "neighbour table full")                                      \
	X(NO_ROUTE, "no-route", "destination neither on-link nor behind a gateway")                \
	X(TX_TOO_LONG, "tx-too-long", "datagram too long to send even in fragments")               \
	X(GROUP_PASSIVE, "group-passive", "for an address of ours that another node serves now")   \
	X(GROUP_SOURCE, "group-source", "from an address of ours that another node serves now")    \
	X(GROUP_FENCED, "group-fenced", "waited to be sent when its address was lost to another")  \
	X(ND_BAD, "nd-bad", "neighbour solicitation or ICMPv6 echo request malformed")             \
	X(ND_OTHER, "nd-other", "neighbour solicitation for an address that is not ours")          \
	X(CONTROL_FULL, "control-full", "ring to the slow side was full")

/* Media source policy and relay: sbc/media, dataplane/ */
#define REASONS_MEDIA(X)                                                                           \
	X(FLOW_NONE, "flow-none", "media port without a flow")                                     \
	X(FLOW_SOURCE, "flow-source", "media from a source other than the flow's")                 \
	X(FLOW_GATE, "flow-gate", "first media from an address the latch gate refuses")            \
	X(FLOW_SSRC, "flow-ssrc", "candidate source not consistent in SSRC and sequence")          \
	X(FLOW_UNPROVEN, "flow-unproven", "receiver not proven yet, nothing sent to it")           \
	X(FLOW_HELD, "flow-held", "direction closed by hold or inactive")                          \
	X(FLOW_BAD, "flow-bad", "neither RTP, RTCP, STUN nor DTLS")                                \
	X(FLOW_STUN, "flow-stun", "STUN on a flow that does not use ICE")                          \
	X(FLOW_EMPTY, "flow-empty", "media datagram without payload")                              \
	X(RELAY_LOOP, "relay-loop", "media that goes round among flows of our own")

/* SIP parsing and transaction matching: sbc/sip, sbc/core */
#define REASONS_SIP(X)                                                                             \
	X(SIP_NOT, "sip-not", "datagram that is not SIP at all")                                   \
	X(SIP_KEEPALIVE, "sip-keepalive", "CRLF keep-alive, answered by nothing")                  \
	X(SIP_BAD_REQUEST, "sip-bad-request", "request breaks the grammar: 400")                   \
	X(SIP_BAD_RESPONSE, "sip-bad-response", "response breaks the grammar")                     \
	X(SIP_LIMIT, "sip-limit", "too many or too long elements: 400, 413 or 513")                \
	X(SIP_VERSION, "sip-version", "SIP version other than 2.0: 505")                           \
	X(SIP_NO_REPLY_PATH, "sip-no-reply-path", "request too broken to be answered")             \
	X(SIP_STRAY_RESPONSE, "sip-stray-response", "response that belongs to no transaction")     \
	X(SIP_STRAY_ACK, "sip-stray-ack", "ACK that belongs to no call")                           \
	X(SIP_STRAY_CANCEL, "sip-stray-cancel", "CANCEL that belongs to no transaction: 481")      \
	X(SIP_NO_DIALOG, "sip-no-dialog", "in-dialog request for no dialog of ours: 481")          \
	X(SIP_METHOD, "sip-method", "method not served: 405 or 501")                               \
	X(SIP_EXTENSION, "sip-extension", "required extension not served: 420")                    \
	X(SIP_SCHEME, "sip-scheme", "request URI scheme not served: 416")                          \
	X(SIP_MAX_FORWARDS, "sip-max-forwards", "Max-Forwards reached zero: 483")                  \
	X(SIP_LOOP, "sip-loop", "request came back to us: 482")                                    \
	X(SIP_MEDIA_TYPE, "sip-media-type", "body type not served: 415")                           \
	X(SIP_TX_FULL, "sip-tx-full", "no transaction free: 503")                                  \
	X(SIP_OUT_FULL, "sip-out-full", "message did not fit our buffers when rewritten: 513")     \
	X(SIP_SOURCE, "sip-source", "message from a host that this realm or dialog does not know") \
	X(SIP_CSEQ, "sip-cseq", "CSeq out of order in its dialog: 500")                            \
	X(SIP_FORWARDED, "sip-forwarded", "in-dialog request for no dialog of ours: another node's")

/* Calls, registrations, admission: sbc/core */
#define REASONS_CALL(X)                                                                            \
	X(CALL_NO_ROUTE, "call-no-route", "no route from this realm: 404")                         \
	X(CALL_NOT_REGISTERED, "call-not-registered", "callee is not registered here: 404")        \
	X(CALL_FULL, "call-full", "no call free: 503")                                             \
	X(CALL_DRAINING, "call-draining", "new call while draining: 503")                          \
	X(CALL_LIMIT, "call-limit", "realm's call or rate limit reached: 503")                     \
	X(CALL_PORTS, "call-ports", "no media port free: 503")                                     \
	X(CALL_SDP_BAD, "call-sdp-bad", "SDP malformed: 400")                                      \
	X(CALL_SDP_REFUSED, "call-sdp-refused", "no media of the offer may pass: 488")             \
	X(CALL_GLARE, "call-glare", "offer crossed another: 491")                                  \
	X(CALL_FORBIDDEN, "call-forbidden", "source may not place calls: 403")                     \
	X(REG_FULL, "reg-full", "no registration free: 503")                                       \
	X(REG_REFUSED, "reg-refused", "registration not allowed from this realm: 403")             \
	X(REG_BAD_CONTACT, "reg-bad-contact", "Contact of a REGISTER unusable: 400")               \
	X(STORE_UNFIT, "store-unfit", "call or registration too large to be kept")                 \
	X(RESTORE_BAD, "restore-bad", "kept call or registration malformed, or not ours")          \
	X(RESTORE_SCHEMA, "restore-schema", "kept by a release whose schema is not read")          \
	X(RESTORE_REALM, "restore-realm", "kept call's realm, listener or peer is gone")           \
	X(RESTORE_PORTS, "restore-ports", "kept call's media ports are not to be had")             \
	X(RESTORE_FULL, "restore-full", "no room for a kept call or registration")

#endif
