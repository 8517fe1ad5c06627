/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <emlearn/wire.h>

#include "check.h"

static const struct emlearn_decision walking = {12340000, 2040, 2550, 0, 3, 2, true};

/* CRC-16/CCITT-FALSE, bit by bit. */
static uint16_t crc16(const char *text, size_t len)
{
	uint32_t crc = 0xffff;

	for (size_t i = 0; i < len; i++) {
		for (int bit = 7; bit >= 0; bit--) {
			uint32_t top = (crc >> 15 ^ (uint32_t)(uint8_t)text[i] >> bit) & 1u;

			crc = (crc << 1 ^ (top != 0 ? 0x1021u : 0)) & 0xffffu;
		}
	}
	return (uint16_t)crc;
}

/* Decode a copy that ends exactly behind its zero, so that a sanitizer sees any look beyond it. */
static int decode(const char *line, struct emlearn_decision *decision, uint32_t *digest, char *name)
{
	size_t size = strlen(line) + 1;
	char *copy = malloc(size);
	int rc;

	CHECK(copy != NULL);
	memcpy(copy, line, size);
	rc = emlearn_wire_decode(copy, decision, digest, name);
	free(copy);
	return rc;
}

static bool same(const struct emlearn_decision *a, const struct emlearn_decision *b)
{
	return a->t_us == b->t_us && a->votes == b->votes && a->n_votes == b->n_votes && a->n_lost == b->n_lost &&
	       a->class_idx == b->class_idx && a->window_class_idx == b->window_class_idx && a->warming == b->warming;
}

/* A body with its correct checksum behind it. */
static const char *sealed(const char *body)
{
	static char line[1024];

	snprintf(line, sizeof(line), "%s*%04x", body, (unsigned int)crc16(body, strlen(body)));
	return line;
}

static void check_decode(const char *line, int expected)
{
	struct emlearn_decision decision, before;
	uint32_t digest;
	char name[EMLEARN_WIRE_NAME_LEN_MAX + 1];

	memset(&decision, 0x5a, sizeof(decision));
	decision.warming = true;
	before = decision;
	if (decode(line, &decision, &digest, name) != expected) {
		fprintf(stderr, "%s\n", line);
		CHECK_EQ(decode(line, &decision, &digest, name), expected);
	}
	if (expected != 0) {
		CHECK(same(&decision, &before));
	}
}

TEST(the_checksum_of_this_test_has_the_published_check_value)
{
	CHECK_EQ(crc16("123456789", 9), 0x29b1);
}

TEST(a_line_holds_every_field_in_order_and_ends_in_its_checksum)
{
	char line[EMLEARN_WIRE_LINE_SIZE];
	const char *body = "E1,12340000,3,2,walking,2040,2550,0,w,1a2b3c4d";
	int len = emlearn_wire_encode(line, sizeof(line), &walking, 0x1a2b3c4d, "walking");

	CHECK_EQ(len, strlen(line));
	CHECK_EQ(strcmp(line, sealed(body)), 0);
	CHECK_EQ(strcmp(line + strlen(body), "*b242"), 0);
}

TEST(the_longest_and_the_shortest_line_come_back_as_they_were)
{
	static const struct emlearn_decision longest = {INT64_MIN, UINT32_MAX, UINT32_MAX, UINT32_MAX, 255, 255, true};
	static const struct emlearn_decision shortest = {0, 0, 0, 0, 0, 0, false};
	static const struct emlearn_decision latest = {INT64_MAX, 1, 2, 3, 4, 5, false};
	static const char *const names[] = {"abcdefghijklmnopqrstuvwxyz012345", "", "A-Z_0.9 z"};
	const struct emlearn_decision *const decisions[] = {&longest, &shortest, &latest};
	static const uint32_t digests[] = {UINT32_MAX, 0, 0x0000beef};

	for (size_t i = 0; i < 9; i++) {
		char line[EMLEARN_WIRE_LINE_SIZE], name[EMLEARN_WIRE_NAME_LEN_MAX + 1];
		struct emlearn_decision decision;
		uint32_t digest;

		CHECK(emlearn_wire_encode(line, sizeof(line), decisions[i / 3], digests[i % 3], names[i % 3]) > 0);
		CHECK_EQ(decode(line, &decision, &digest, name), 0);
		CHECK(same(&decision, decisions[i / 3]));
		CHECK_EQ(digest, digests[i % 3]);
		CHECK_EQ(strcmp(name, names[i % 3]), 0);
	}
}

TEST(a_line_fits_its_exact_size_and_a_byte_less_gives_an_empty_line)
{
	char expected[EMLEARN_WIRE_LINE_SIZE];
	int len = emlearn_wire_encode(expected, sizeof(expected), &walking, 1, "walking");

	CHECK(len > 0);
	for (size_t size = 1; size <= EMLEARN_WIRE_LINE_SIZE; size++) {
		char *line = malloc(size);
		int rc;

		CHECK(line != NULL);
		rc = emlearn_wire_encode(line, size, &walking, 1, "walking");
		if (size > (size_t)len) {
			CHECK_EQ(rc, len);
			CHECK_EQ(strcmp(line, expected), 0);
		} else {
			CHECK_EQ(rc, -ENOSPC);
			CHECK_EQ(line[0], '\0');
		}
		free(line);
	}
	CHECK_EQ(emlearn_wire_encode(NULL, 0, &walking, 1, "walking"), -ENOSPC);
}

TEST(a_name_is_cut_off_and_cleaned)
{
	static const char *const names[][2] = {
		{"abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz012345"},
		{"a,b*c\nd", "a?b?c?d"},
		{"caf\xc3\xa9", "caf??"},
		{"\"\x7f\x01/", "????"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char line[EMLEARN_WIRE_LINE_SIZE], name[EMLEARN_WIRE_NAME_LEN_MAX + 1];
		struct emlearn_decision decision;
		uint32_t digest;

		CHECK(emlearn_wire_encode(line, sizeof(line), &walking, 0, names[i][0]) > 0);
		CHECK_EQ(decode(line, &decision, &digest, name), 0);
		CHECK_EQ(strcmp(name, names[i][1]), 0);
	}
}

TEST(a_line_may_end_in_cr_lf_or_zero_and_in_nothing_else)
{
	char line[EMLEARN_WIRE_LINE_SIZE];
	int len = emlearn_wire_encode(line, sizeof(line), &walking, 7, "x");
	static const char *const ends[] = {"", "\r", "\n", "\r\n", "\nE1,rubbish"};
	static const char *const wrong[] = {" ", "0", "*", ",", "\t", "a\n"};
	char text[EMLEARN_WIRE_LINE_SIZE + 16];

	CHECK(len > 0);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", line, ends[i]);
		check_decode(text, 0);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", line, wrong[i]);
		check_decode(text, -EINVAL);
	}
}

TEST(a_wrong_checksum_another_version_and_other_text_are_told_apart)
{
	check_decode("E1,12340000,3,2,walking,2040,2550,0,w,1a2b3c4d*0000", -EBADMSG);
	check_decode(sealed("E2,12340000,3,2,walking,2040,2550,0,w,1a2b3c4d"), -EPROTO);
	check_decode(sealed("E10,12340000,3,2,walking,2040,2550,0,w,1a2b3c4d"), -EPROTO);
	/* Intact, begins with an E, and is not of version 1. */
	check_decode(sealed("E"), -EPROTO);
	check_decode(sealed("E1"), -EPROTO);
	check_decode(sealed("E1 1,3,2,x,1,2,0,w,1a2b3c4d"), -EPROTO);
	check_decode("", -EINVAL);
	check_decode("\n", -EINVAL);
	check_decode("*", -EINVAL);
	check_decode("E", -EINVAL);
	check_decode("Booting Zephyr OS build v4.3.0", -EINVAL);
	check_decode("E1,12340000,3,2,walking,2040,2550,0,w,1a2b3c4d", -EINVAL);
	check_decode("E1,12340000,3,2,walking,2040,2550,0,w,1a2b3c4d*", -EINVAL);
	check_decode("E1,12340000,3,2,walking,2040,2550,0,w,1a2b3c4d*53b", -EINVAL);
}

TEST(a_field_that_is_missing_out_of_range_or_not_canonical_is_refused)
{
	static const char *const bodies[] = {
		"E1,",
		"E1,,,,,,,,,",
		"E1,1,3,2,x,1,2,0,w",
		"E1,1,3,2,x,1,2,0,w,1a2b3c4d,",
		"E1,1,3,2,x,1,2,0,w,1a2b3c4d,0",
		"E1,1,256,2,x,1,2,0,w,1a2b3c4d",
		"E1,1,3,256,x,1,2,0,w,1a2b3c4d",
		"E1,1,-3,2,x,1,2,0,w,1a2b3c4d",
		"E1,1,3,2,x,4294967296,2,0,w,1a2b3c4d",
		"E1,1,3,2,x,1,99999999999999999999,0,w,1a2b3c4d",
		"E1,1,3,2,x,1,2,-1,w,1a2b3c4d",
		"E1,9223372036854775808,3,2,x,1,2,0,w,1a2b3c4d",
		"E1,-9223372036854775809,3,2,x,1,2,0,w,1a2b3c4d",
		"E1,99999999999999999999,3,2,x,1,2,0,w,1a2b3c4d",
		"E1,18446744073709551617,3,2,x,1,2,0,w,1a2b3c4d",
		"E1,-,3,2,x,1,2,0,w,1a2b3c4d",
		"E1,-0,3,2,x,1,2,0,w,1a2b3c4d",
		"E1,01,3,2,x,1,2,0,w,1a2b3c4d",
		"E1,1,03,2,x,1,2,0,w,1a2b3c4d",
		"E1,1,3,2,x,1,2,00,w,1a2b3c4d",
		"E1,+1,3,2,x,1,2,0,w,1a2b3c4d",
		"E1,1,3,2,x,1,2,0,w,1A2B3C4D",
		"E1,,3,2,x,1,2,0,w,1a2b3c4d",
		"E1,1 ,3,2,x,1,2,0,w,1a2b3c4d",
		"E1,1,3,2,x,1,2,0,q,1a2b3c4d",
		"E1,1,3,2,x,1,2,0,,1a2b3c4d",
		"E1,1,3,2,x,1,2,0,w,1a2b3c4",
		"E1,1,3,2,x,1,2,0,w,1a2b3c4dd",
		"E1,1,3,2,x,1,2,0,w,1a2b3c4g",
		"E1,1,3,2,abcdefghijklmnopqrstuvwxyz0123456,1,2,0,w,1a2b3c4d",
		"E1,1,3,2,a*b,1,2,0,w,1a2b3c4d",
		"e1,1,3,2,x,1,2,0,w,1a2b3c4d",
	};

	check_decode(sealed("E1,1,3,2,x,1,2,0,w,1a2b3c4d"), 0);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		check_decode(sealed(bodies[i]), -EINVAL);
	}
}

TEST(every_single_changed_byte_is_noticed)
{
	char line[EMLEARN_WIRE_LINE_SIZE];
	int len = emlearn_wire_encode(line, sizeof(line), &walking, 0x1a2b3c4d, "walking");

	for (int i = 0; i < len; i++) {
		char kept = line[i];

		for (int c = 1; c < 256; c++) {
			struct emlearn_decision decision;
			uint32_t digest;
			char name[EMLEARN_WIRE_NAME_LEN_MAX + 1];

			if ((char)c == kept) {
				continue;
			}
			line[i] = (char)c;
			CHECK(decode(line, &decision, &digest, name) < 0);
		}
		line[i] = kept;
	}
}

TEST(mutated_and_random_lines_never_crash_and_what_is_accepted_reads_the_same_again)
{
	uint64_t random = 5;
	uint32_t n_accepted = 0;

	for (uint32_t round = 0; round < 60000; round++) {
		char body[200] = "E1,12340000,3,2,walking,2040,2550,0,w,1a2b3c4d";
		static const char likely[] = "0123456789abcdefE,-*w \n\r";
		size_t len = strlen(body);

		if (round % 4 == 0) {
			len = check_random(&random) % 150;
			for (size_t i = 0; i < len; i++) {
				body[i] = (char)(check_random(&random) >> 24);
			}
			body[len] = '\0';
		}
		for (uint32_t n = check_random(&random) % 4; n > 0 && len > 0; n--) {
			size_t at = check_random(&random) % len;
			uint32_t what = check_random(&random) % 4;

			if (what == 0) { /* remove */
				memmove(&body[at], &body[at + 1], len - at);
				len--;
			} else if (what == 1) { /* insert */
				memmove(&body[at + 1], &body[at], len - at + 1);
				body[at] = likely[check_random(&random) % (sizeof(likely) - 1)];
				len++;
			} else if (what == 2) { /* replace */
				body[at] = likely[check_random(&random) % (sizeof(likely) - 1)];
			} else { /* cut off */
				body[at] = '\0';
				len = at;
			}
		}

		struct emlearn_decision decision, again;
		uint32_t digest, digest_again;
		char name[EMLEARN_WIRE_NAME_LEN_MAX + 1], name_again[EMLEARN_WIRE_NAME_LEN_MAX + 1];
		char line[EMLEARN_WIRE_LINE_SIZE];
		int rc = decode(round % 3 == 0 ? body : sealed(body), &decision, &digest, name);

		if (rc == 0) {
			n_accepted++;
			CHECK(strlen(name) <= EMLEARN_WIRE_NAME_LEN_MAX);
			CHECK(emlearn_wire_encode(line, sizeof(line), &decision, digest, name) > 0);
			CHECK_EQ(decode(line, &again, &digest_again, name_again), 0);
			CHECK(same(&decision, &again) && digest == digest_again);
			CHECK_EQ(strcmp(name, name_again), 0);
		} else {
			CHECK(rc == -EINVAL || rc == -EPROTO || rc == -EBADMSG);
		}
	}
	CHECK(n_accepted > 1000);
}

TESTS(T(the_checksum_of_this_test_has_the_published_check_value),
      T(a_line_holds_every_field_in_order_and_ends_in_its_checksum),
      T(the_longest_and_the_shortest_line_come_back_as_they_were),
      T(a_line_fits_its_exact_size_and_a_byte_less_gives_an_empty_line), T(a_name_is_cut_off_and_cleaned),
      T(a_line_may_end_in_cr_lf_or_zero_and_in_nothing_else),
      T(a_wrong_checksum_another_version_and_other_text_are_told_apart),
      T(a_field_that_is_missing_out_of_range_or_not_canonical_is_refused), T(every_single_changed_byte_is_noticed),
      T(mutated_and_random_lines_never_crash_and_what_is_accepted_reads_the_same_again))
