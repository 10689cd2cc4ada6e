import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { nextTime, parseSchedule } from './schedule.ts';

/** Formats times as `2026-11-30 05:00`. */
const shown = (time: number | undefined): string =>
  time === undefined ? 'never' : new Date(time).toISOString().slice(0, 16).replace('T', ' ');

/** Returns the next times of a schedule after a time, separated by commas. */
function times(text: string, after: string, count: number): string {
  const schedule = parseSchedule(text);
  const found: string[] = [];
  let time = instant(Date.parse(`${after.replace(' ', 'T')}:00Z`));
  for (let i = 0; i < count; i++) {
    const next = nextTime(schedule, time);
    found.push(shown(next));
    if (next === undefined) break;
    time = next;
  }
  return found.join(', ');
}

// biome-ignore format: a table
const TIMES: readonly (readonly [title: string, text: string, after: string, count: number, expected: string])[] = [
  // title                                        expression                          after               number  times
  ['a minute',                                    'rate(1 minute)',                   '2026-11-30 05:07', 2, '2026-11-30 05:08, 2026-11-30 05:09'],
  ['five minutes',                                'rate(5 minutes)',                  '2026-11-30 05:07', 1, '2026-11-30 05:12'],
  ['a day over the end of a year',                'rate(1 day)',                      '2026-12-31 05:07', 1, '2027-01-01 05:07'],
  ['36 hours',                                    'rate(36 hours)',                   '2026-11-30 00:00', 1, '2026-12-01 12:00'],
  ['each minute',                                 'cron(* * * * ? *)',                '2026-11-30 23:59', 1, '2026-12-01 00:00'],
  ['daily',                                       'cron(0 10 * * ? *)',               '2026-11-30 10:00', 2, '2026-12-01 10:00, 2026-12-02 10:00'],
  ['weekdays by name',                            'cron(0 18 ? * MON-FRI *)',         '2026-12-04 17:59', 2, '2026-12-04 18:00, 2026-12-07 18:00'],
  ['weekday 1 is Sunday',                         'cron(0 0 ? * 1 *)',                '2026-11-30 00:00', 2, '2026-12-06 00:00, 2026-12-13 00:00'],
  ['weekday 7 is Saturday',                       'cron(0 0 ? * 7 *)',                '2026-11-30 00:00', 1, '2026-12-05 00:00'],
  ['names in lower case',                         'cron(0 0 ? jan sun *)',            '2026-11-30 00:00', 1, '2027-01-03 00:00'],
  ['a range of weekdays around the week',         'cron(0 0 ? * FRI-MON *)',          '2026-12-01 00:00', 5, '2026-12-04 00:00, 2026-12-05 00:00, 2026-12-06 00:00, 2026-12-07 00:00, 2026-12-11 00:00'],
  ['0/15',                                        'cron(0/15 * * * ? *)',             '2026-11-30 05:07', 4, '2026-11-30 05:15, 2026-11-30 05:30, 2026-11-30 05:45, 2026-11-30 06:00'],
  ['a start of the steps',                        'cron(5/20 8 * * ? *)',             '2026-11-30 08:05', 3, '2026-11-30 08:25, 2026-11-30 08:45, 2026-12-01 08:05'],
  ['*/6 and a range with steps',                  'cron(0 0-23/6 * * ? *)',           '2026-11-30 05:07', 3, '2026-11-30 06:00, 2026-11-30 12:00, 2026-11-30 18:00'],
  ['a list',                                      'cron(0,30 9,17 * * ? *)',          '2026-11-30 09:15', 3, '2026-11-30 09:30, 2026-11-30 17:00, 2026-11-30 17:30'],
  ['the first of each month',                     'cron(0 8 1 * ? *)',                '2026-11-30 00:00', 2, '2026-12-01 08:00, 2027-01-01 08:00'],
  ['the last day',                                'cron(0 0 L * ? *)',                '2027-12-31 00:00', 3, '2028-01-31 00:00, 2028-02-29 00:00, 2028-03-31 00:00'],
  ['the last workday',                            'cron(0 0 LW * ? *)',               '2026-12-31 00:00', 2, '2027-01-29 00:00, 2027-02-26 00:00'],
  ['3W on a Thursday',                            'cron(0 0 3W 12 ? *)',              '2026-11-30 00:00', 1, '2026-12-03 00:00'],
  ['5W on a Saturday is Friday',                  'cron(0 0 5W 12 ? *)',              '2026-11-30 00:00', 1, '2026-12-04 00:00'],
  ['6W on a Sunday is Monday',                    'cron(0 0 6W 12 ? *)',              '2026-11-30 00:00', 1, '2026-12-07 00:00'],
  ['1W on a Saturday stays in the month',         'cron(0 0 1W 8 ? *)',               '2026-07-01 00:00', 1, '2026-08-03 00:00'],
  ['31W on a Sunday stays in the month',          'cron(0 0 31W 1 ? *)',              '2027-01-01 00:00', 1, '2027-01-29 00:00'],
  ['31W skips shorter months',                    'cron(0 0 31W * ? *)',              '2026-11-01 00:00', 2, '2026-12-31 00:00, 2027-01-29 00:00'],
  ['the second Tuesday',                          'cron(0 0 ? * 3#2 *)',              '2026-11-30 00:00', 2, '2026-12-08 00:00, 2027-01-12 00:00'],
  ['the fifth Sunday, if there is one',        'cron(0 0 ? * SUN#5 *)',            '2026-11-30 00:00', 2, '2027-01-31 00:00, 2027-05-30 00:00'],
  ['the last Friday',                             'cron(0 0 ? * 6L *)',               '2026-11-30 00:00', 2, '2026-12-25 00:00, 2027-01-29 00:00'],
  ['L as a weekday is Saturday',                  'cron(0 0 ? * L *)',                '2026-11-30 00:00', 1, '2026-12-05 00:00'],
  ['February 29',                                 'cron(0 0 29 2 ? *)',               '2026-11-30 00:00', 2, '2028-02-29 00:00, 2032-02-29 00:00'],
  ['2100 is not a leap year',                     'cron(0 0 29 FEB ? 2097-2107)',     '2026-11-30 00:00', 1, '2104-02-29 00:00'],
  ['the last year',                               'cron(59 23 31 12 ? 2199)',         '2026-11-30 00:00', 2, '2199-12-31 23:59, never'],
  ['a list of years',                             'cron(0 0 1 1 ? 2026,2028)',        '2026-11-30 00:00', 2, '2028-01-01 00:00, never'],
  ['steps of years',                              'cron(0 0 1 1 ? 2026/10)',          '2026-11-30 00:00', 2, '2036-01-01 00:00, 2046-01-01 00:00'],
  ['a past year',                                 'cron(0 0 1 1 ? 2020)',             '2026-11-30 00:00', 1, 'never'],
  ['February 30',                                 'cron(0 0 30 2 ? *)',               '2026-11-30 00:00', 1, 'never'],
];
for (const [title, text, after, count, expected] of TIMES) {
  test(`nextTime: ${title}: ${text}`, () => assert.equal(times(text, after, count), expected));
}

test('nextTime: a time within a minute is followed by the next full minute', () => {
  const next = nextTime(parseSchedule('cron(* * * * ? *)'), instant(Date.UTC(2026, 10, 30, 5, 7, 30, 500)));
  assert.equal(shown(next), '2026-11-30 05:08');
  assert.equal((next as number) % 60_000, 0);
});

const INVALID: readonly string[] = [
  ...['', 'rate', 'rate()', 'rate(5)', 'rate(0 minutes)', 'rate(1 minutes)', 'rate(5 minute)', 'rate(-1 minutes)', 'rate(1.5 hours)'],
  ...['rate(5 seconds)', 'rate(5 weeks)', 'rate(5minutes)', 'rate(5 minutes) ', 'Rate(5 minutes)', 'rate(999999999 days)', 'every(1 day)'],
  ...['cron()', 'cron(* * * * *)', 'cron(* * * * ? * *)', 'cron(* * * * * *)', 'cron(* * ? * ? *)', 'cron(0 0 1 * MON *)'],
  ...['cron(60 * * * ? *)', 'cron(* 24 * * ? *)', 'cron(* * 0 * ? *)', 'cron(* * 32 * ? *)', 'cron(* * * 13 ? *)', 'cron(* * ? * 8 *)'],
  ...[
    'cron(* * ? * 0 *)',
    'cron(* * * * ? 1969)',
    'cron(* * * * ? 2200)',
    'cron(? * * * ? *)',
    'cron(0/0 * * * ? *)',
    'cron(1-2-3 * * * ? *)',
  ],
  ...[
    'cron(1//2 * * * ? *)',
    'cron(, * * * ? *)',
    'cron(a * * * ? *)',
    'cron(* * ? * NOT *)',
    'cron(* * ? * MON#6 *)',
    'cron(* * ? * MON#0 *)',
  ],
  ...[
    'cron(* * ? * MON#1#2 *)',
    'cron(* * W * ? *)',
    'cron(* * 32W * ? *)',
    'cron(* * L * L *)',
    'cron(L * * * ? *)',
    'cron(* * * * ? 2030-2029)',
  ],
  ...['cron(0 0 * * ? *', 'cron(0 0 * * ? *))', `cron(${'0,'.repeat(100)} * * * ? *)`, 'cron(+5 * * * ? *)', 'cron(0x1 * * * ? *)'],
];
for (const text of INVALID) {
  test(`parseSchedule: '${text.slice(0, 40)}' is not valid`, () => {
    assert.throws(() => parseSchedule(text), { code: 'ValidationError', message: 'Parameter ScheduleExpression is not valid.' });
  });
}
