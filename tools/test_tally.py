#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_tally.py - does the tally tell the truth about a run?"""
import io
import unittest

import tally


def program(stdout='', result='OK', **more):
    return {'name': 'voiceotp:unit / buf', 'stdout': stdout,
            'result': result, 'returncode': 0 if result == 'OK' else 1,
            'env': {'SECRET': 'hunter2'}, **more}


def run(*records, status=0, suites=None):
    out = io.StringIO()
    total = tally.report(list(records), suites or {}, status, out)
    return total, out.getvalue()


class Tally(unittest.TestCase):
    def test_tap_lines_are_counted_not_programs(self):
        total, said = run(program('1..2\nok 1 - a\nok 2 - b\n'),
                          program('1..1\nok 1 - c\n'))

        self.assertEqual((total.passed, total.failed), (3, 0))
        self.assertEqual(said.splitlines()[-1], '3 passed, 0 failed')

    def test_a_red_line_is_a_failure(self):
        total, said = run(program('1..2\nok 1 - a\nnot ok 2 - b\n', 'FAIL'))

        self.assertEqual((total.passed, total.failed), (1, 1))
        self.assertEqual(said.splitlines()[-1], '1 passed, 1 failed')

    def test_a_program_that_dies_half_way_fails_what_it_announced(self):
        total, _ = run(program('1..5\nok 1 - a\nok 2 - b\n', 'ERROR'))

        self.assertEqual((total.passed, total.failed), (2, 3))

    def test_a_program_that_leaves_early_with_zero_is_not_believed(self):
        total, _ = run(program('1..5\nok 1 - a\n', 'OK'))

        self.assertEqual((total.passed, total.failed), (1, 4))

    def test_a_red_program_with_green_lines_has_one_failure(self):
        total, _ = run(program('1..1\nok 1 - a\n', 'FAIL'))  # a leak at exit

        self.assertEqual((total.passed, total.failed), (1, 1))

    def test_two_groups_in_one_program_are_two_plans(self):
        total, _ = run(program('1..1\nok 1 - a\n1..1\nok 1 - b\n'))

        self.assertEqual((total.passed, total.failed), (2, 0))

    def test_a_skip_as_cmocka_writes_it_is_no_failure(self):
        total, said = run(program('1..2\nok 1 - a\nnot ok 2 # SKIP\n'))

        self.assertEqual((total.passed, total.failed), (1, 0))
        self.assertIn('1 skipped', said)

    def test_a_program_without_tap_is_one_test(self):
        green, _ = run(program('hello\n'))
        red, _ = run(program('hello\n', 'TIMEOUT'))

        self.assertEqual((green.passed, green.failed), (1, 0))
        self.assertEqual((red.passed, red.failed), (0, 1))

    def test_nothing_run_is_a_failure(self):
        for records in ([], [program(result='SKIP')]):
            total, said = run(*records)

            self.assertEqual(total.failed, 1)
            self.assertEqual(said.splitlines()[-1], '0 passed, 1 failed')

    def test_a_red_meson_is_not_swallowed_by_green_lines(self):
        total, _ = run(program('1..1\nok 1 - a\n'), status=3)

        self.assertEqual((total.passed, total.failed), (1, 1))

    def test_only_the_end_of_a_red_program_is_shown(self):
        noise = ''.join(f'line {n}\n' for n in range(100))
        _, said = run(program(noise, 'FAIL', stderr=None))

        self.assertIn('... 40 lines above\nline 40\n', said)
        self.assertNotIn('line 39\n', said)

    def test_the_environment_is_never_printed(self):
        _, said = run(program('boom\n', 'FAIL', stderr='ouch\n'))

        self.assertIn('ouch', said)
        self.assertNotIn('hunter2', said)

    def test_a_line_that_only_resembles_tap_is_not_a_test(self):
        total, _ = run(program('okay then\nit is ok\nok 1 - a\n1..1\n'))

        self.assertEqual((total.passed, total.failed), (1, 0))

    def test_suites_come_from_meson_or_else_from_the_name(self):
        _, by_name = run(program('ok 1 - a\n'))
        _, by_meson = run(program('ok 1 - a\n', command=['/t/buf']),
                          suites={('/t/buf',): 'scenario'})

        self.assertIn('unit ', by_name)
        self.assertIn('scenario ', by_meson)


if __name__ == '__main__':
    unittest.main()
