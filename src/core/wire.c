/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <emlearn/wire.h>

#define VERSION "E1"
#define CRC_DIGITS 4
#define DIGEST_DIGITS 8

static const char hex_digits[] = "0123456789abcdef";

/* CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xffff, not reflected. */
static uint16_t crc16(const char *text, size_t len)
{
	uint16_t crc = 0xffff;

	for (size_t i = 0; i < len; i++) {
		crc = (uint16_t)(crc ^ ((uint8_t)text[i] << 8));
		for (int bit = 0; bit < 8; bit++) {
			crc = (uint16_t)((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
		}
	}
	return crc;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	       c == '.' || c == ' ';
}

/* Text being written; what does not fit is counted, not stored. */
struct writer {
	char *text;
	size_t size;
	size_t len;
};

static void put_char(struct writer *w, char c)
{
	if (w->len < w->size) {
		w->text[w->len] = c;
	}
	w->len++;
}

static void put_text(struct writer *w, const char *text)
{
	while (*text != '\0') {
		put_char(w, *text++);
	}
}

static void put_unsigned(struct writer *w, uint64_t value)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = hex_digits[value % 10];
		value /= 10;
	} while (value != 0);
	while (n > 0) {
		put_char(w, digits[--n]);
	}
}

static void put_hex(struct writer *w, uint32_t value, unsigned int n_digits)
{
	while (n_digits > 0) {
		n_digits--;
		put_char(w, hex_digits[(value >> (4 * n_digits)) & 0xf]);
	}
}

static void put_field(struct writer *w, uint64_t value)
{
	put_char(w, ',');
	put_unsigned(w, value);
}

static void put_name(struct writer *w, const char *name)
{
	put_char(w, ',');
	for (size_t i = 0; i < EMLEARN_WIRE_NAME_LEN_MAX && name[i] != '\0'; i++) {
		put_char(w, is_name_char(name[i]) ? name[i] : '?');
	}
}

int emlearn_wire_encode(char *line, size_t size, const struct emlearn_decision *decision, uint32_t digest,
			const char *name)
{
	struct writer w = {.text = line, .size = size};
	uint64_t magnitude = decision->t_us < 0 ? 0 - (uint64_t)decision->t_us : (uint64_t)decision->t_us;

	put_text(&w, VERSION);
	put_text(&w, decision->t_us < 0 ? ",-" : ",");
	put_unsigned(&w, magnitude);
	put_field(&w, decision->class_idx);
	put_field(&w, decision->window_class_idx);
	put_name(&w, name);
	put_field(&w, decision->votes);
	put_field(&w, decision->n_votes);
	put_field(&w, decision->n_lost);
	put_text(&w, decision->warming ? ",w," : ",-,");
	put_hex(&w, digest, DIGEST_DIGITS);
	if (w.len + 1 + CRC_DIGITS >= size) {
		if (size > 0) {
			line[0] = '\0';
		}
		return -ENOSPC;
	}

	uint16_t crc = crc16(line, w.len);

	put_char(&w, '*');
	put_hex(&w, crc, CRC_DIGITS);
	line[w.len] = '\0';
	return (int)w.len;
}

/* Text being read; `ok` goes false at the first thing that does not fit and stays so. */
struct reader {
	const char *at;
	const char *end;
	bool ok;
};

static bool accept(struct reader *r, char c)
{
	if (r->at < r->end && *r->at == c) {
		r->at++;
		return true;
	}
	return false;
}

static void expect(struct reader *r, char c)
{
	if (!accept(r, c)) {
		r->ok = false;
	}
}

static uint64_t get_unsigned(struct reader *r, uint64_t max)
{
	uint64_t value = 0;
	const char *start = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
		uint64_t digit = (uint64_t)(*r->at - '0');

		if (value > (max - digit) / 10) {
			r->ok = false;
			return 0;
		}
		value = value * 10 + digit;
		r->at++;
	}
	if (r->at == start || (*start == '0' && r->at - start > 1)) {
		r->ok = false;
	}
	return value;
}

static uint64_t get_field(struct reader *r, uint64_t max)
{
	expect(r, ',');
	return get_unsigned(r, max);
}

static uint32_t get_hex(struct reader *r, unsigned int n_digits)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < n_digits; i++) {
		const char *digit = r->at < r->end && *r->at != '\0' ? strchr(hex_digits, *r->at) : NULL;

		if (digit == NULL) {
			r->ok = false;
			return 0;
		}
		value = (value << 4) | (uint32_t)(digit - hex_digits);
		r->at++;
	}
	return value;
}

static void get_name(struct reader *r, char *name)
{
	size_t len = 0;

	expect(r, ',');
	while (r->at < r->end && (is_name_char(*r->at) || *r->at == '?') && len < EMLEARN_WIRE_NAME_LEN_MAX) {
		name[len++] = *r->at++;
	}
	name[len] = '\0';
}

static int64_t get_time(struct reader *r)
{
	expect(r, ',');
	bool negative = accept(r, '-');
	uint64_t magnitude = get_unsigned(r, negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX);

	if (negative && magnitude == 0) {
		r->ok = false;
	}
	return negative && magnitude > 0 ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
}

static bool get_warming(struct reader *r)
{
	bool warming;

	expect(r, ',');
	warming = accept(r, 'w');
	if (!warming) {
		expect(r, '-');
	}
	return warming;
}

int emlearn_wire_decode(const char *line, struct emlearn_decision *decision, uint32_t *digest, char *name)
{
	const char *star = line + strcspn(line, "*\r\n");
	struct reader tail = {.at = star, .end = line + strcspn(line, "\r\n"), .ok = true};
	struct reader r = {.at = line, .end = star, .ok = true};
	struct emlearn_decision d = {0};
	char text[EMLEARN_WIRE_NAME_LEN_MAX + 1];

	if (line[0] != VERSION[0] || *star != '*') {
		return -EINVAL;
	}
	expect(&tail, '*');
	uint32_t crc = get_hex(&tail, CRC_DIGITS);

	if (!tail.ok || tail.at != tail.end) {
		return -EINVAL;
	}
	if (crc != crc16(line, (size_t)(star - line))) {
		return -EBADMSG;
	}
	expect(&r, VERSION[0]);
	if (!accept(&r, VERSION[1]) || r.at == r.end || *r.at != ',') {
		return -EPROTO;
	}
	d.t_us = get_time(&r);
	d.class_idx = (uint8_t)get_field(&r, UINT8_MAX);
	d.window_class_idx = (uint8_t)get_field(&r, UINT8_MAX);
	get_name(&r, text);
	d.votes = (uint32_t)get_field(&r, UINT32_MAX);
	d.n_votes = (uint32_t)get_field(&r, UINT32_MAX);
	d.n_lost = (uint32_t)get_field(&r, UINT32_MAX);
	d.warming = get_warming(&r);
	expect(&r, ',');
	uint32_t model = get_hex(&r, DIGEST_DIGITS);

	if (!r.ok || r.at != r.end) {
		return -EINVAL;
	}
	*decision = d;
	*digest = model;
	memcpy(name, text, sizeof(text));
	return 0;
}
