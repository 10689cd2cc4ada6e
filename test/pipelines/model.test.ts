/** Configurations and pools of media pipelines against a simple model in memory: generated calls on both engines. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { openFixture, REQUEST } from '#services/chime-sdk-media-pipelines/fixture.ts';
import { START } from '#services/kit/fixture.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());

const NAMES = ['aa', 'bb', 'cc'];
/** Low limits, so that generated calls reach them. */
const LIMITS = { configurations: 2, pools: 2 };

const Name = fc.constantFrom(...NAMES);
const Value = fc.constantFrom(1, 2);
const kind = <const Kind extends string>(name: Kind) => fc.constant(name);
const Step = fc.oneof(
  fc.record({ kind: kind('create'), name: Name, value: Value, token: fc.option(fc.constantFrom('t1', 't2'), { freq: 2 }) }),
  fc.record({ kind: kind('update'), name: Name, value: Value }),
  fc.record({ kind: kind('delete'), name: Name }),
  fc.record({ kind: kind('wait'), ms: fc.constantFrom(1, DAY_MS) }),
);
type Step = typeof Step extends fc.Arbitrary<infer Value> ? Value : never;

type Opened = Awaited<ReturnType<typeof openFixture>>;
type As = Parameters<Opened['run']>[2];

/** One kind of resource, whose documents have a value of 1 or 2. The calls resolve to the unique ID of the resource. */
interface Subject {
  readonly most: number;
  /** Error of a name or a token in use. */
  readonly conflict: string;
  create(opened: Opened, name: string, value: number, token: string | null, as: As): Promise<string | undefined>;
  update(opened: Opened, name: string, value: number, as: As): Promise<unknown>;
  delete(opened: Opened, name: string, as: As): Promise<unknown>;
  /** Returns the names with their values and IDs, in the order of the list. */
  list(opened: Opened, as: As): Promise<readonly (readonly unknown[])[]>;
}

const target = (value: number) => ({
  KinesisDataStreamSinkConfiguration: { InsightsTarget: `arn:aws:kinesis:us-east-1:111122223333:stream/s${value}` },
});
const settings = (value: number) => ({
  ResourceAccessRoleArn: REQUEST.ResourceAccessRoleArn,
  Elements: [{ Type: 'KinesisDataStreamSink' as const, ...target(value) }],
});

const CONFIGURATIONS: Subject = {
  most: LIMITS.configurations,
  conflict: 'BadRequestException',
  async create({ run }, name, value, token, as) {
    const input = {
      MediaInsightsPipelineConfigurationName: name,
      ...settings(value),
      ...(token !== null && { ClientRequestToken: token }),
    };
    const { MediaInsightsPipelineConfiguration } = await run('CreateMediaInsightsPipelineConfiguration', input, as);
    return MediaInsightsPipelineConfiguration?.MediaInsightsPipelineConfigurationId;
  },
  update: ({ run }, Identifier, value, as) => run('UpdateMediaInsightsPipelineConfiguration', { Identifier, ...settings(value) }, as),
  delete: ({ run }, Identifier, as) => run('DeleteMediaInsightsPipelineConfiguration', { Identifier }, as),
  async list({ run }, as) {
    const { MediaInsightsPipelineConfigurations = [] } = await run('ListMediaInsightsPipelineConfigurations', {}, as);
    const rows: unknown[][] = [];
    for (const { MediaInsightsPipelineConfigurationName: Identifier = '' } of MediaInsightsPipelineConfigurations) {
      const { MediaInsightsPipelineConfiguration: found } = await run('GetMediaInsightsPipelineConfiguration', { Identifier }, as);
      const stream = found?.Elements?.[0]?.KinesisDataStreamSinkConfiguration?.InsightsTarget;
      rows.push([Identifier, Number(stream?.slice(-1)), found?.MediaInsightsPipelineConfigurationId]);
    }
    return rows;
  },
};

const POOLS: Subject = {
  most: LIMITS.pools,
  conflict: 'ConflictException',
  async create({ run }, PoolName, DataRetentionInHours, token, as) {
    const input = {
      PoolName,
      StreamConfiguration: { Region: 'us-east-1', DataRetentionInHours },
      ...(token !== null && { ClientRequestToken: token }),
    };
    return (await run('CreateMediaPipelineKinesisVideoStreamPool', input, as)).KinesisVideoStreamPoolConfiguration?.PoolId;
  },
  update: ({ run }, Identifier, DataRetentionInHours, as) =>
    run('UpdateMediaPipelineKinesisVideoStreamPool', { Identifier, StreamConfiguration: { DataRetentionInHours } }, as),
  delete: ({ run }, Identifier, as) => run('DeleteMediaPipelineKinesisVideoStreamPool', { Identifier }, as),
  async list({ run }, as) {
    const { KinesisVideoStreamPools = [] } = await run('ListMediaPipelineKinesisVideoStreamPools', {}, as);
    const rows: unknown[][] = [];
    for (const { PoolName: Identifier = '' } of KinesisVideoStreamPools) {
      const { KinesisVideoStreamPoolConfiguration: found } = await run('GetMediaPipelineKinesisVideoStreamPool', { Identifier }, as);
      rows.push([Identifier, found?.StreamConfiguration?.DataRetentionInHours, found?.PoolId]);
    }
    return rows;
  },
};

interface Token {
  readonly request: string;
  readonly id: string;
  readonly name: string;
  readonly expiresAt: number;
}

/** Runs steps on a store and on the model, and compares each outcome and the list after each step. */
async function agree(store: Store, subject: Subject, steps: readonly Step[]): Promise<void> {
  const opened = await openFixture(LIMITS, store);
  const model = new Map<string, { value: number; readonly id: string }>();
  const tokens = new Map<string, Token>();
  let time = START as number;

  /** Returns the expected ID or error of a creation. */
  function expectedOf({ name, value, token }: Extract<Step, { readonly kind: 'create' }>): {
    readonly id?: string;
    readonly code?: string;
  } {
    const used = token === null ? undefined : tokens.get(token);
    if (used !== undefined && used.expiresAt > time) {
      const exists = model.get(used.name)?.id === used.id;
      if (used.request !== `${name} ${value}`) {
        if (exists || subject === CONFIGURATIONS) return { code: subject.conflict };
      } else if (exists) return { id: used.id };
    }
    if (model.has(name)) return { code: subject.conflict };
    return model.size >= subject.most ? { code: 'ResourceLimitExceededException' } : {};
  }

  for (const step of steps) {
    const as = { now: instant(++time) };
    if (step.kind === 'wait') time += step.ms;
    else if (step.kind === 'create') {
      const { name, value, token } = step;
      const expected = expectedOf(step);
      const outcome = await subject.create(opened, name, value, token, as).then(
        (id) => ({ id }),
        ({ code }: { readonly code: string }) => ({ code }),
      );
      if ('code' in expected || 'id' in expected) assert.deepEqual(outcome, expected, JSON.stringify(step));
      else {
        assert.ok('id' in outcome && outcome.id !== undefined, JSON.stringify([step, outcome]));
        model.set(name, { value, id: outcome.id });
        if (token !== null) tokens.set(token, { request: `${name} ${value}`, id: outcome.id, name, expiresAt: time + DAY_MS });
      }
    } else {
      const found = model.get(step.name);
      const work = step.kind === 'update' ? subject.update(opened, step.name, step.value, as) : subject.delete(opened, step.name, as);
      const code = await work.then(
        () => 'ok',
        (error: { readonly code: string }) => error.code,
      );
      assert.equal(code, found === undefined ? 'NotFoundException' : 'ok');
      if (step.kind === 'delete') model.delete(step.name);
      else if (found !== undefined) found.value = step.value;
    }
    const rows = [...model].map(([name, { value, id }]) => [name, value, id]).toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    assert.deepEqual(await subject.list(opened, { now: instant(time) }), rows);
  }
}

const SUBJECTS = [
  ['Media insights pipeline configurations', CONFIGURATIONS],
  ['Pools of Kinesis video streams', POOLS],
] as const;
const ENGINES: readonly (readonly [engine: string, runs: number, open: () => Promise<Store>])[] = [
  ['SQLite', 40, () => openSqlite(':memory:')],
  ['PostgreSQL', 5, () => openPostgres(postgres.url)],
];

for (const [engine, numRuns, open] of ENGINES) {
  const opening = open();
  after(async () => (await opening).close());

  for (const [title, subject] of SUBJECTS) {
    test(`${title} on ${engine}: generated calls have the outcomes of the model`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(Step, { minLength: 5, maxLength: 25 }), async (steps) => {
          const store = await opening;
          await store.transaction(async ({ sql }) => {
            for (const table of ['resource', 'idempotency']) await sql.run(`DELETE FROM ${table}`);
          });
          await agree(store, subject, steps);
        }),
        { numRuns },
      );
    });
  }
}
