import { DAY_MS, MINUTE_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';

/** Schedule of calendar times: minutes, hours, days, months and years in UTC. */
export interface CronSchedule {
  readonly kind: 'cron';
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: ReadonlySet<number>;
  readonly years: readonly number[];
  /** Reports whether the schedule has a day. */
  readonly hasDay: (day: CalendarDay) => boolean;
}

/** Day of a month. */
export interface CalendarDay {
  /** 1 to 31. */
  readonly day: number;
  /** 1 (Sunday) to 7 (Saturday). */
  readonly weekday: number;
  /** Number of days of the month. */
  readonly daysInMonth: number;
}

const FIRST_YEAR = 1970;
const LAST_YEAR = 2199;
/** Last day of the month with a day number, and weekdays with an ordinal: `3#5`. */
const ORDINAL_MAX = 5;

interface FieldRange {
  readonly first: number;
  readonly last: number;
  readonly names?: readonly string[];
}

// biome-ignore format: a table
const RANGES = {
  minute:  { first: 0, last: 59 },
  hour:    { first: 0, last: 23 },
  day:     { first: 1, last: 31 },
  month:   { first: 1, last: 12, names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'] },
  weekday: { first: 1, last: 7, names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] },
  year:    { first: FIRST_YEAR, last: LAST_YEAR },
} as const satisfies Readonly<Record<string, FieldRange>>;

/**
 * Parses the six fields of a cron expression: minute, hour, day of the month, month, weekday, year. Returns `undefined`
 * if they are not valid.
 *
 * Each field is `*`, or a list of values, ranges (`8-17`) and steps (`0/15`, `8-17/2`). Months and weekdays also have
 * names. Exactly one of day and weekday is `?`. Days also have `L` (last day), `15W` (nearest weekday in the month) and
 * `LW`. Weekdays also have `L` (Saturday), `6L` (last Friday of the month) and `6#2` (second Friday).
 *
 * Source: EventBridge User Guide, "Cron expressions for EventBridge scheduled rules". Assumed: (1) names in any case;
 * (2) `LW`, `nL` and lists with `L`, `W` or `#`, as in Quartz; (3) ranges of months, weekdays, hours and minutes may wrap
 * around: `FRI-MON`.
 */
export function parseCron(text: string): CronSchedule | undefined {
  const fields = text.trim().split(/ +/);
  if (fields.length !== 6) return undefined;
  const [minute, hour, day, month, weekday, year] = fields as [string, string, string, string, string, string];
  if ((day === '?') === (weekday === '?')) return undefined;
  const minutes = parseField(minute, RANGES.minute);
  const hours = parseField(hour, RANGES.hour);
  const months = parseField(month, RANGES.month);
  const years = parseField(year, RANGES.year);
  const hasDay = weekday === '?' ? anyOf(day, parseDay) : anyOf(weekday, parseWeekday);
  if (minutes === undefined || hours === undefined || months === undefined || years === undefined || hasDay === undefined) return undefined;
  return { kind: 'cron', minutes, hours, months: new Set(months), years, hasDay };
}

type DayTest = CronSchedule['hasDay'];

function anyOf(text: string, parse: (part: string) => DayTest | undefined): DayTest | undefined {
  const tests = text.split(',').map(parse);
  if (tests.includes(undefined)) return undefined;
  return (day) => tests.some((test) => test?.(day));
}

function parseDay(text: string): DayTest | undefined {
  if (text === 'L') return ({ day, daysInMonth }) => day === daysInMonth;
  if (text === 'LW') return (day) => day.day === nearestWorkday(day, day.daysInMonth);
  const near = /^([0-9]{1,2})W$/.exec(text)?.[1];
  if (near !== undefined) {
    const target = Number(near);
    if (target < 1 || target > 31) return undefined;
    return (day) => target <= day.daysInMonth && day.day === nearestWorkday(day, target);
  }
  const days = parsePart(text, RANGES.day);
  return days && (({ day }) => days.includes(day));
}

/** Returns the day from Monday to Friday that is nearest to a day, in the same month. */
function nearestWorkday({ day, weekday, daysInMonth }: CalendarDay, target: number): number {
  const targetWeekday = weekdayAfter(weekday, target - day);
  if (targetWeekday === 7) return target === 1 ? 3 : target - 1;
  if (targetWeekday === 1) return target === daysInMonth ? target - 2 : target + 1;
  return target;
}

/** Returns the weekday that is a number of days after a weekday. */
function weekdayAfter(weekday: number, days: number): number {
  return ((((weekday - 1 + days) % 7) + 7) % 7) + 1;
}

function parseWeekday(text: string): DayTest | undefined {
  if (text === 'L') return ({ weekday }) => weekday === 7;
  const last = /^([^L]+)L$/.exec(text)?.[1];
  if (last !== undefined) {
    const target = parseValue(last, RANGES.weekday);
    return target === undefined ? undefined : ({ day, weekday, daysInMonth }) => weekday === target && day + 7 > daysInMonth;
  }
  const [name, ordinal, ...rest] = text.split('#');
  if (ordinal !== undefined) {
    const target = parseValue(name as string, RANGES.weekday);
    const count = /^[1-5]$/.test(ordinal) ? Number(ordinal) : ORDINAL_MAX + 1;
    if (target === undefined || count > ORDINAL_MAX || rest.length > 0) return undefined;
    return ({ day, weekday }) => weekday === target && Math.ceil(day / 7) === count;
  }
  const weekdays = parsePart(text, RANGES.weekday);
  return weekdays && (({ weekday }) => weekdays.includes(weekday));
}

/** Returns the values of a field in ascending order. */
function parseField(text: string, range: FieldRange): readonly number[] | undefined {
  const parts = text.split(',').map((part) => parsePart(part, range));
  if (parts.includes(undefined)) return undefined;
  return [...new Set(parts.flatMap((part) => part ?? []))].sort((a, b) => a - b);
}

/** Returns the values of a part of a list: `*`, `5`, `5-9`, and each with a step. `5/2` is `5-last/2`. */
function parsePart(text: string, range: FieldRange): readonly number[] | undefined {
  const [values, stepText, ...rest] = text.split('/');
  const step = stepText === undefined ? 1 : parseStep(stepText);
  if (step === undefined || rest.length > 0) return undefined;
  if (values === '*') return stepped(range.first, range.last, step, range);
  const [firstText, lastText, ...more] = (values as string).split('-');
  const first = parseValue(firstText as string, range);
  if (first === undefined || more.length > 0) return undefined;
  if (lastText === undefined) return stepped(first, stepText === undefined ? first : range.last, step, range);
  const last = parseValue(lastText, range);
  if (last === undefined || (last < first && range === RANGES.year)) return undefined;
  return stepped(first, last, step, range);
}

function parseStep(text: string): number | undefined {
  const step = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  return step > 0 ? step : undefined;
}

function parseValue(text: string, { first, last, names }: FieldRange): number | undefined {
  const named = names?.indexOf(text.toUpperCase()) ?? -1;
  if (named >= 0) return first + named;
  const value = /^[0-9]{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return value >= first && value <= last ? value : undefined;
}

function stepped(from: number, to: number, step: number, { first, last }: FieldRange): readonly number[] {
  const size = last - first + 1;
  const length = to < from ? to + size - from : to - from;
  const values: number[] = [];
  for (let at = 0; at <= length; at += step) values.push(((from - first + at) % size) + first);
  return values;
}

/**
 * Returns the next time of a cron schedule after a time, or `undefined` if there is none until the end of 2199.
 *
 * Looks at most once at each day until then: about 84,000 for a schedule without any time, such as February 30.
 */
export function nextCronTime(schedule: CronSchedule, after: Instant): Instant | undefined {
  const start = Math.max(Math.floor(after / MINUTE_MS) * MINUTE_MS + MINUTE_MS, Date.UTC(FIRST_YEAR, 0));
  const today = start - (start % DAY_MS);
  const first = new Date(start);
  for (const year of schedule.years) {
    if (year < first.getUTCFullYear()) continue;
    for (let month = 0; month < 12; month++) {
      if (!schedule.months.has(month + 1)) continue;
      const daysInMonth = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
      for (let day = 1; day <= daysInMonth; day++) {
        const midnight = Date.UTC(year, month, day);
        if (midnight < today || !schedule.hasDay({ day, weekday: new Date(midnight).getUTCDay() + 1, daysInMonth })) continue;
        const time = timeOfDay(schedule, midnight === today ? (start - today) / MINUTE_MS : 0);
        if (time !== undefined) return instant(midnight + time * MINUTE_MS);
      }
    }
  }
  return undefined;
}

/** Returns the first minute of the day, from a minute on, that the schedule has. */
function timeOfDay({ hours, minutes }: CronSchedule, from: number): number | undefined {
  for (const hour of hours) {
    const minute = minutes.find((each) => hour * 60 + each >= from);
    if (minute !== undefined) return hour * 60 + minute;
  }
  return undefined;
}
