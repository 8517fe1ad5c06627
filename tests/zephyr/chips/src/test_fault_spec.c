/* SPDX-License-Identifier: Apache-2.0 */
/* Faults as text. */
#include <string.h>

#include <zephyr/ztest.h>

#include "fault_spec.h"

static void check(const char *text, enum emlearn_fault_kind kind, uint32_t at_frame, uint32_t n, int32_t value,
		  const char *rest)
{
	struct emlearn_fault fault;
	const char *wrong;
	const char *behind = fault_spec_parse(text, &fault, &wrong);

	zassert_not_null(behind, "%s", text);
	zassert_equal(fault.kind, kind, "%s", text);
	zassert_equal(fault.at_frame, at_frame, "%s", text);
	zassert_equal(fault.n, n, "%s", text);
	zassert_equal(fault.value, value, "%s", text);
	zassert_equal(strcmp(behind, rest), 0, "%s: %s", text, behind);
}

ZTEST(fault_spec, test_a_fault_has_a_kind_a_frame_and_perhaps_a_number_and_a_value)
{
	check("nack@0", EMLEARN_FAULT_NACK, 0, 1, 0, "");
	check("nack@100x3", EMLEARN_FAULT_NACK, 100, 3, 0, "");
	check("nack@5x*=12", EMLEARN_FAULT_NACK, 5, UINT32_MAX, 12, "");
	check("clock@0=30000", EMLEARN_FAULT_CLOCK, 0, 1, 30000, "");
	check("clock@7=-30000", EMLEARN_FAULT_CLOCK, 7, 1, -30000, "");
	check("who-am-i@0x2=0x6B", EMLEARN_FAULT_WHO_AM_I, 0, 2, 0x6b, "");
	check("int-stuck@4294967295=2147483647", EMLEARN_FAULT_INT_STUCK, UINT32_MAX, 1, INT32_MAX, "");
	check("overrun@5x2=30", EMLEARN_FAULT_OVERRUN, 5, 2, 30, "");
}

ZTEST(fault_spec, test_every_kind_has_the_name_that_messages_list)
{
	const char *name = FAULT_SPEC_KINDS;
	char text[64];

	for (unsigned int kind = 0; kind < EMLEARN_FAULT_KINDS; kind++) {
		size_t n = strcspn(name, " ");

		zassert_true(n > 0);
		const bool has_value = kind == EMLEARN_FAULT_CLOCK || kind == EMLEARN_FAULT_WHO_AM_I ||
				       kind == EMLEARN_FAULT_INT_STUCK;

		snprintk(text, sizeof(text), "%.*s@1%s", (int)n, name, has_value ? "=2" : "");
		check(text, (enum emlearn_fault_kind)kind, 1, 1, has_value ? 2 : 0, "");
		name += n + (name[n] == ' ' ? 1 : 0);
	}
	zassert_equal(*name, '\0');
}

ZTEST(fault_spec, test_commas_part_a_list)
{
	check("drop@3,odd@4x2,clip@5", EMLEARN_FAULT_DROP, 3, 1, 0, "odd@4x2,clip@5");
	check("odd@4x2,clip@5", EMLEARN_FAULT_ODD, 4, 2, 0, "clip@5");
}

ZTEST(fault_spec, test_what_is_no_fault_is_refused)
{
	static const char *const texts[] = {
		"",
		"nack",
		"nack@",
		"@5",
		"nak@5",
		"nackk@5",
		"Nack@5",
		" nack@5",
		"nack@-5",
		"nack@+5",
		"nack@ 5",
		"nack@5 ",
		"nack@0x5x",
		"nack@4294967296",
		"nack@99999999999999999999999",
		"nack@5x",
		"nack@5x0",
		"nack@5x-1",
		"nack@5x4294967296",
		"nack@5=",
		"nack@5=x",
		"nack@5=2147483648",
		"nack@5=-2147483649",
		"nack@5=3y",
		"nack@5=3x2",
		"nack@5,",
		"nack@5;drop@6",
		"clock@5",
		"who-am-i@5x2",
		"int-stuck@5",
	};

	ARRAY_FOR_EACH(texts, i)
	{
		struct emlearn_fault fault;

		const char *wrong;

		zassert_is_null(fault_spec_parse(texts[i], &fault, &wrong), "'%s'", texts[i]);
	}
}

ZTEST(fault_spec, test_what_a_kind_does_not_use_is_refused_by_what_it_is)
{
	static const struct {
		const char *text;
		const char *wrong;
	} cases[] = {
		{"int-lost@5=7", "has a VALUE"},      {"int-spurious@5=7", "has a VALUE"},
		{"brownout@5=7", "has a VALUE"},      {"odd@5x2=7", "has a VALUE"},
		{"drop@100=99", "has a VALUE"},       {"repeat@5=0", "has a VALUE"},
		{"clip@5=1,nack@5", "has a VALUE"},   {"int-stuck@5x2=7", "has an xN"},
		{"brownout@500x3", "has an xN"},      {"brownout@0x*", "has an xN"},
		{"clock@0x5=3000", "has an xN"},      {"clock@0x1=3000", "has an xN"},
		{"int-stuck@5", "has not the VALUE"},
	};

	ARRAY_FOR_EACH(cases, i)
	{
		struct emlearn_fault fault;
		const char *wrong;

		zassert_is_null(fault_spec_parse(cases[i].text, &fault, &wrong), "'%s'", cases[i].text);
		zassert_equal(strncmp(wrong, cases[i].wrong, strlen(cases[i].wrong)), 0, "'%s': %s", cases[i].text,
			      wrong);
	}
}

ZTEST(fault_spec, test_a_fault_prints_as_it_is_parsed)
{
	static const char *const texts[] = {
		"nack@0",
		"nack@4294967295x4294967294=2147483647",
		"int-spurious@4294967295x*",
		"int-stuck@5=0",
		"clock@7=-500000",
		"who-am-i@0x2=107",
	};
	char text[EMLEARN_CHIP_FAULT_TEXT];

	ARRAY_FOR_EACH(texts, i)
	{
		struct emlearn_fault fault;
		const char *wrong;

		zassert_not_null(fault_spec_parse(texts[i], &fault, &wrong));
		zassert_equal(fault_spec_print(&fault, text, sizeof(text)), strlen(texts[i]));
		zassert_equal(strcmp(text, texts[i]), 0, "%s", text);
	}
}

ZTEST_SUITE(fault_spec, NULL, NULL, NULL, NULL, NULL);
