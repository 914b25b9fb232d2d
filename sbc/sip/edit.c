#include "sbc/sip/edit.h"

void sip_edit_init(struct sip_edit *e, const struct sip_msg *m)
{
	e->msg = m;
	e->count = 0;
	e->composed = 0;
	e->err = SBC_OK;
	wbuf_init(&e->scratch, e->scratch_bytes, sizeof(e->scratch_bytes));
}

/* The first thing that went wrong decides what the write answers. */
static void fail(struct sip_edit *e, enum sbc_err err)
{
	if (e->err == SBC_OK)
		e->err = err;
}

void sip_edit_replace(struct sip_edit *e, uint32_t off, uint32_t len, struct slice with)
{
	const struct sip_edit_op *last = e->count ? &e->op[e->count - 1] : NULL;

	if (off > e->msg->len || len > e->msg->len - off ||
	    (last != NULL && off < last->off + last->len)) {
		fail(e, SBC_EBAD);
		return;
	}
	if (e->count == SIP_EDIT_MAX) {
		fail(e, SBC_ELIMIT);
		return;
	}
	e->op[e->count++] = (struct sip_edit_op){off, len, with};
}

void sip_edit_line(struct sip_edit *e, uint32_t i, struct slice with)
{
	const struct sip_msg *m = e->msg;

	if (i >= m->count) {
		fail(e, SBC_EBAD);
		return;
	}
	/* Lines of an accepted message lie side by side: the next one's start is this one's end. */
	const uint32_t off = m->hdr[i].name_off;
	const uint32_t end = i + 1u < m->count ? m->hdr[i + 1].name_off : m->headers_end;

	sip_edit_replace(e, off, end - off, with);
}

void sip_edit_value(struct sip_edit *e, uint32_t i, struct slice with)
{
	if (i >= e->msg->count) {
		fail(e, SBC_EBAD);
		return;
	}
	sip_edit_replace(e, e->msg->hdr[i].value_off, e->msg->hdr[i].value_len, with);
}

struct wbuf *sip_edit_scratch(struct sip_edit *e)
{
	e->composed = e->scratch.n;
	return &e->scratch;
}

struct slice sip_edit_composed(struct sip_edit *e)
{
	struct slice s = slice_of(e->scratch.p + e->composed, e->scratch.n - e->composed);

	e->composed = e->scratch.n;
	return s;
}

enum sbc_err sip_edit_write(struct sip_edit *e, struct wbuf *out)
{
	uint32_t at = 0;

	if (e->err != SBC_OK)
		return e->err;
	if (!wbuf_ok(&e->scratch))
		return SBC_EFULL;
	for (uint32_t i = 0; i < e->count; i++) {
		const struct sip_edit_op *op = &e->op[i];

		wbuf_put(out, slice_of(e->msg->buf + at, op->off - at));
		wbuf_put(out, op->with);
		at = op->off + op->len;
	}
	wbuf_put(out, slice_of(e->msg->buf + at, e->msg->len - at));
	return wbuf_ok(out) ? SBC_OK : SBC_EFULL;
}
