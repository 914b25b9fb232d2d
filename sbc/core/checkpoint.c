#include "sbc/core/checkpoint.h"

/* Bytes before a field's name: the lengths of name and value. */
#define FIELD_HEAD 3u

const char *checkpoint_kind_name(enum checkpoint_kind kind)
{
	return kind == CHECKPOINT_REGISTRATION ? "reg" : "call";
}

bool checkpoint_next(struct slice *rest, struct checkpoint_field *field, bool *bad)
{
	const uint8_t *p = (const uint8_t *)rest->p;

	*bad = false;
	if (rest->n == 0)
		return false;
	if (rest->n >= FIELD_HEAD && p[0] != 0) {
		uint32_t name = p[0], value = (uint32_t)p[1] | (uint32_t)p[2] << 8;

		if (rest->n - FIELD_HEAD >= name + value) {
			field->name = slice_of(rest->p + FIELD_HEAD, name);
			field->value = slice_of(rest->p + FIELD_HEAD + name, value);
			rest->p += FIELD_HEAD + name + value;
			rest->n -= FIELD_HEAD + name + value;
			return true;
		}
	}
	*bad = true;
	return false;
}

void checkpoint_put(struct wbuf *w, struct slice name, struct slice value)
{
	const char head[FIELD_HEAD] = {(char)name.n, (char)(value.n & 0xff), (char)(value.n >> 8)};

	if (name.n == 0 || name.n > UINT8_MAX || value.n > UINT16_MAX ||
	    FIELD_HEAD + name.n + value.n > w->cap - w->n) {
		w->full = true;
		return;
	}
	wbuf_put(w, slice_of(head, sizeof(head)));
	wbuf_put(w, name);
	wbuf_put(w, value);
}
