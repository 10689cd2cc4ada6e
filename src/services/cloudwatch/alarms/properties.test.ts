/** Alarms over several minutes, compared with a second implementation of the rules that is as short as possible. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PutMetricAlarmInput, StateValue } from '#model/generated/cloudwatch.ts';
import type { MissingData } from './evaluation.ts';
import { openAlarms, TOPIC } from './fixture.ts';
import { obviousState } from './obvious-state.ts';

const ACTIONS = { AlarmActions: [TOPIC], OKActions: [TOPIC], InsufficientDataActions: [TOPIC] };
const STATES: readonly StateValue[] = ['OK', 'ALARM', 'INSUFFICIENT_DATA'];

/** Kind of a metric alarm: on an average, a percentile that ignores or evaluates few samples, or an expression. */
type Kind = 'average' | 'p90 ignore' | 'p90 evaluate' | 'expression';

interface Rules {
  readonly kind: Kind;
  readonly n: number;
  readonly m: number;
  readonly missingData: MissingData;
}

/** Rule of a composite alarm on two alarms. */
type Rule =
  | { readonly is: StateValue; readonly of: 0 | 1 }
  | { readonly not: Rule }
  | { readonly both: readonly [Rule, Rule] }
  | { readonly either: readonly [Rule, Rule] };

/** Samples of a minute for the metric of one alarm: `X` is breaching, a lower-case character is few samples, `-` is none. */
type Sample = 'X' | '0' | 'x' | 'o' | '-';

interface Minute {
  readonly samples: readonly [Sample, Sample];
  /** State that a caller sets before the evaluation. */
  readonly set?: { readonly alarm: 0 | 1; readonly state: StateValue } | undefined;
  /** Change of the actions of all alarms before the evaluation. */
  readonly actions?: 'enable' | 'disable' | undefined;
}

const rules: fc.Arbitrary<Rules> = fc
  .record({
    kind: fc.constantFrom<Kind>('average', 'p90 ignore', 'p90 evaluate', 'expression'),
    n: fc.integer({ min: 1, max: 4 }),
    fewer: fc.integer({ min: 0, max: 3 }),
    missingData: fc.constantFrom<MissingData>('missing', 'ignore', 'breaching', 'notBreaching'),
  })
  .map(({ fewer, n, ...rest }) => ({ ...rest, n, m: Math.max(1, n - fewer) }));

const alarmIndex = fc.constantFrom(0 as const, 1 as const);
const { rule } = fc.letrec<{ readonly rule: Rule }>((tie) => ({
  rule: fc.oneof(
    { depthSize: 'small' },
    fc.record({ is: fc.constantFrom(...STATES), of: alarmIndex }),
    fc.record({ not: tie('rule') }),
    fc.record({ both: fc.tuple(tie('rule'), tie('rule')) }),
    fc.record({ either: fc.tuple(tie('rule'), tie('rule')) }),
  ),
}));

const sample = fc.constantFrom<Sample>('X', '0', 'x', 'o', '-', '-');
const minute: fc.Arbitrary<Minute> = fc.record({
  samples: fc.tuple(sample, sample),
  set: fc.option(fc.record({ alarm: alarmIndex, state: fc.constantFrom(...STATES) }), { nil: undefined, freq: 3 }),
  actions: fc.option(fc.constantFrom('enable' as const, 'disable' as const), { nil: undefined, freq: 4 }),
});

function textOf(from: Rule, name: (of: 0 | 1) => string): string {
  if ('is' in from) return `${from.is}(${name(from.of)})`;
  if ('not' in from) return `NOT (${textOf(from.not, name)})`;
  const [operator, [left, right]] = 'both' in from ? ['AND', from.both] : ['OR', from.either];
  return `(${textOf(left, name)}) ${operator} (${textOf(right, name)})`;
}

function isTrue(of: Rule, states: readonly StateValue[]): boolean {
  if ('is' in of) return states[of.of] === of.is;
  if ('not' in of) return !isTrue(of.not, states);
  return 'both' in of ? of.both.every((each) => isTrue(each, states)) : of.either.some((each) => isTrue(each, states));
}

function inputOf(AlarmName: string, { kind, n, m, missingData }: Rules): PutMetricAlarmInput {
  const metric = { Namespace: 'Properties', MetricName: AlarmName };
  const common = { AlarmName, EvaluationPeriods: n, DatapointsToAlarm: m, TreatMissingData: missingData, ...ACTIONS };
  const limit = { Threshold: 10, ComparisonOperator: 'GreaterThanThreshold' as const };
  switch (kind) {
    case 'average':
      return { ...common, ...limit, ...metric, Period: 60, Statistic: 'Average' };
    case 'p90 ignore':
    case 'p90 evaluate': {
      const EvaluateLowSampleCountPercentile = kind.slice('p90 '.length);
      return { ...common, ...limit, ...metric, Period: 60, ExtendedStatistic: 'p90', EvaluateLowSampleCountPercentile };
    }
    case 'expression': {
      const MetricStat = { Metric: metric, Period: 60, Stat: 'Average' };
      return {
        ...common,
        ...limit,
        Metrics: [
          { Id: 'a', MetricStat, ReturnData: false },
          { Id: 'e', Expression: 'a / 2 + 4' },
        ],
      };
    }
  }
}

/** Returns the state after an evaluation, from the samples of all minutes so far. */
function expectedState({ kind, n, m, missingData }: Rules, samples: string, state: StateValue): StateValue {
  const range = samples.slice(-n - 2);
  const newest = range.replaceAll('-', '').at(-1);
  if (kind === 'p90 ignore' && (newest === 'x' || newest === 'o')) return state;
  const text = range.replaceAll('x', 'X').replaceAll('o', '0');
  return obviousState(text, n, m, missingData) ?? state;
}

test('Alarms: states, composite alarms and messages are those of an obvious implementation', async () => {
  const { run, setSeconds, evaluate, messages, store, alarm } = await openAlarms();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.tuple(rules, rules), rule, fc.array(minute, { minLength: 1, maxLength: 7 }), async (both, composite, minutes) => {
      const base = ++runs * 7_200;
      const names = [`first-${runs}`, `second-${runs}`, `composite-${runs}`] as const;
      const present: [StateValue, StateValue, StateValue] = ['INSUFFICIENT_DATA', 'INSUFFICIENT_DATA', 'INSUFFICIENT_DATA'];
      let isEnabled = true;
      let sent = (await messages()).length;
      /** Sets an expected state. Each change sends one message if actions are enabled. */
      const set = (i: 0 | 1 | 2, state: StateValue): boolean => {
        const changes = present[i] !== state;
        if (changes && isEnabled) sent += 1;
        present[i] = state;
        return changes;
      };
      const setComposite = () => set(2, isTrue(composite, present) ? 'ALARM' : 'OK');
      const history = ['------', '------'];
      const evaluateBoth = () => {
        const changes = both.map((each, i) => set(i as 0 | 1, expectedState(each, history[i] as string, present[i] as StateValue)));
        if (changes.includes(true)) setComposite();
      };

      setSeconds(base);
      for (const [i, each] of both.entries()) await run('PutMetricAlarm', inputOf(names[i] as string, each));
      await evaluate();
      both.forEach((each, i) => void set(i as 0 | 1, expectedState(each, '------', present[i] as StateValue)));
      await run('PutCompositeAlarm', { AlarmName: names[2], AlarmRule: textOf(composite, (of) => names[of]), ...ACTIONS });
      await evaluate();
      setComposite();

      for (const [k, { samples, set: change, actions }] of minutes.entries()) {
        setSeconds(base + k * 60 + 30);
        for (const [i, each] of samples.entries()) {
          history[i] += each;
          if (each === '-') continue;
          const datum = { MetricName: names[i] as string, Values: [each.toUpperCase() === 'X' ? 20 : 1], Counts: [each < 'a' ? 200 : 1] };
          await run('PutMetricData', { Namespace: 'Properties', MetricData: [datum] });
        }
        if (actions !== undefined) {
          await run(actions === 'enable' ? 'EnableAlarmActions' : 'DisableAlarmActions', { AlarmNames: names });
          isEnabled = actions === 'enable';
        }
        if (change !== undefined) {
          await run('SetAlarmState', { AlarmName: names[change.alarm], StateValue: change.state, StateReason: 'drill' });
          if (set(change.alarm, change.state)) setComposite();
        }
        setSeconds(base + k * 60 + 60);
        await evaluate();
        evaluateBoth();
        const states = await Promise.all(names.map(async (name) => (await alarm(name))?.StateValue));
        assert.deepEqual([...states, (await messages()).length], [...present, sent], `minute ${k}: ${history.join(' ')}`);
      }
      await run('DeleteAlarms', { AlarmNames: [names[2]] });
      await run('DeleteAlarms', { AlarmNames: names.slice(0, 2) });
      await store.transaction((tx) => tx.sql.run('DELETE FROM outgoing', []));
    }),
    { numRuns: Number(process.env['ALARM_RUNS'] ?? 20), endOnFailure: true },
  );
  await store.close();
});
