/** Bots, their rooms and their webhooks against a simple model in memory: generated calls on both engines. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { type Instant, instant } from '#core/instant.ts';
import { ACCOUNT, ENDPOINT, openFixture, START } from '#services/chime/fixture.ts';
import { createWebhook, openWebhook, writeWithWebhook } from '#services/chime/webhooks.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());

/** Limits of chime.md, section 3. */
const BOTS_MAX = 10;
const PERSISTENT_MAX = 3;
const SHORT_LIVED_MS = 120_000;
const BETWEEN_MS = 1_000;

interface ModelHook {
  readonly id: string;
  readonly token: string;
  readonly type: 'Persistent' | 'ShortLived';
  readonly createdAt: number;
  usedAt?: number;
}

interface ModelBot {
  readonly id: string;
  readonly name: string;
  token: string;
  disabled: boolean;
  hasEndpoint: boolean;
  joined: boolean;
  /** Webhooks that have not ended, oldest first. */
  hooks: ModelHook[];
}

const Which = fc.nat({ max: 3 });
const kind = <Kind extends string>(name: Kind) => ({ kind: fc.constant(name) });
const Write = fc.record({
  ...kind('write'),
  hook: fc.nat({ max: 5 }),
  wrongToken: fc.constantFrom(false, false, false, true),
  content: fc.constantFrom('Hello', 'Hello', 'Hello', ' ', 'é'.repeat(2_049)),
});
const Rest = fc.oneof(
  fc.record({ ...kind('create'), name: fc.constantFrom('one', 'two', 'ONE', 'three', 'a b', 'x'.repeat(56)) }),
  fc.record({ ...kind('fill') }),
  fc.record({ ...kind('disable'), which: Which, disabled: fc.option(fc.boolean(), { nil: undefined }) }),
  fc.record({ ...kind('renew'), which: Which }),
  fc.record({ ...kind('endpoint'), which: Which, answers: fc.boolean() }),
  fc.record({ ...kind('no endpoint'), which: Which }),
  fc.record({ ...kind('join'), which: Which, role: fc.constantFrom('Member' as const, 'Administrator' as const) }),
  fc.record({ ...kind('leave'), which: Which }),
);
const Step = fc.oneof(
  { weight: 3, arbitrary: Rest },
  { weight: 2, arbitrary: Write },
  {
    weight: 1,
    arbitrary: fc.record({ ...kind('hook'), which: Which, type: fc.constantFrom('Persistent' as const, 'ShortLived' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ ...kind('wait'), ms: fc.constantFrom(400, 1_000, 119_400) }) },
);
type Step = typeof Step extends fc.Arbitrary<infer Value> ? Value : never;
type StepOn<Kind> = Extract<Step, { readonly kind: Kind }>;

/** Returns the code of an error, or `ok`. */
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: { readonly code: string }) => error.code,
  );

interface Place {
  readonly store: Store;
  readonly chimeAccountId: string;
  readonly roomId: string;
  readonly now: () => Instant;
}

/** Returns the steps of the webhooks of a room. */
function webhookSteps({ store, chimeAccountId, roomId, now }: Place) {
  const hooks: { readonly bot: ModelBot; readonly hook: ModelHook }[] = [];
  return { write, hook };

  async function write({ hook: number, wrongToken, content }: StepOn<'write'>): Promise<void> {
    // The newest webhooks are the most interesting ones.
    const found = hooks.at(-1 - (number % Math.max(1, hooks.length)));
    if (found === undefined) return;
    const { bot, hook } = found;
    const status = await store.transaction(async (tx) => {
      const work = { tx, newId: randomUUID, emit: async () => undefined, now: now() };
      const opened = await openWebhook(work, hook.id, wrongToken ? 'A'.repeat(43) : hook.token);
      return opened === undefined ? 404 : await writeWithWebhook(work, opened, content);
    });
    const isOpen = !wrongToken && bot.hooks.includes(hook) && (hook.type === 'Persistent' || now() < hook.createdAt + SHORT_LIVED_MS);
    const isSoon = hook.usedAt !== undefined && now() - hook.usedAt < BETWEEN_MS;
    const size = Buffer.byteLength(content);
    assert.equal(status, !isOpen ? 404 : content === ' ' ? 400 : size > 4_096 ? 413 : isSoon ? 429 : 200);
    if (status === 200) hook.usedAt = now();
  }

  async function hook(bot: ModelBot, type: ModelHook['type']): Promise<void> {
    const wanted = { accountId: ACCOUNT, chimeAccountId, botId: bot.id, roomId, type } as const;
    const path = await store.transaction((tx) =>
      createWebhook({ tx, newId: randomUUID, random: (bytes) => randomBytes(bytes), now: now() }, wanted),
    );
    assert.equal(path !== undefined, bot.joined && !bot.disabled);
    if (path === undefined) return;
    const [, id = '', token = ''] = /^\/incomingwebhooks\/(.*)\?token=(.*)$/.exec(path) ?? [];
    const created: ModelHook = { id, token, type, createdAt: now() };
    hooks.push({ bot, hook: created });
    const others = bot.hooks.filter((each) => each.type !== type);
    const same = [...bot.hooks.filter((each) => each.type === type), created];
    bot.hooks = [...others, ...(type === 'Persistent' ? same.slice(-PERSISTENT_MAX) : same)];
  }
}

/** Runs steps on a store and on the model, and compares each outcome, and the state at the end. */
async function agree(store: Store, steps: readonly Step[]): Promise<void> {
  const { run, account, become } = await openFixture(store);
  const AccountId = await account();
  await become(AccountId, 'EnterpriseLWA');
  const RoomId = (await run('CreateRoom', { AccountId, Name: 'room' })).Room?.RoomId as string;
  const bots: ModelBot[] = [];
  let time = START as number;
  const as = () => ({ now: instant(time) });
  const { write, hook } = webhookSteps({ store, chimeAccountId: AccountId, roomId: RoomId, now: () => as().now });

  async function create(name: string): Promise<void> {
    const call = run('CreateBot', { AccountId, DisplayName: name }, as());
    const isTaken = bots.some((bot) => bot.name.toLowerCase() === name.toLowerCase());
    const invalid = name.length > 55 || name.includes(' ');
    const expected = invalid ? 'BadRequest' : bots.length >= BOTS_MAX ? 'ResourceLimitExceeded' : isTaken ? 'BadRequest' : undefined;
    assert.equal(await codeOf(call), expected === undefined ? 'ok' : `${expected}Exception`);
    if (expected !== undefined) return;
    const { BotId: id = '', SecurityToken: token = '' } = (await call).Bot ?? {};
    bots.push({ id, name, token, disabled: false, hasEndpoint: false, joined: false, hooks: [] });
  }

  async function step(each: Step): Promise<void> {
    time += 1;
    switch (each.kind) {
      case 'create':
        return await create(each.name);
      case 'fill':
        for (let i = 0; i < 4; i++) {
          time += 1;
          await create(`bot${bots.length}`);
        }
        return;
      case 'write':
        return await write(each);
      case 'wait':
        time += each.ms;
        return;
    }
    const bot = bots[each.which];
    if (bot === undefined) return;
    const key = { AccountId, BotId: bot.id };
    switch (each.kind) {
      case 'disable': {
        const input = each.disabled === undefined ? key : { ...key, Disabled: each.disabled };
        bot.disabled = each.disabled ?? bot.disabled;
        if (each.disabled === true) bot.hooks = [];
        assert.equal((await run('UpdateBot', input, as())).Bot?.Disabled, bot.disabled);
        return;
      }
      case 'renew': {
        const token = (await run('RegenerateSecurityToken', key, as())).Bot?.SecurityToken as string;
        assert.notEqual(token, bot.token);
        Object.assign(bot, { token, hooks: [] });
        return;
      }
      case 'endpoint': {
        const input = { ...key, OutboundEventsHTTPSEndpoint: ENDPOINT };
        const call = run('PutEventsConfiguration', input, { ...as(), contact: () => each.answers } as never);
        assert.equal(await codeOf(call), each.answers ? 'ok' : 'BadRequestException');
        bot.hasEndpoint ||= each.answers;
        return;
      }
      case 'no endpoint':
        await run('DeleteEventsConfiguration', key, as());
        bot.hasEndpoint = false;
        return;
      case 'join': {
        const canJoin = bot.hasEndpoint && !bot.disabled && each.role === 'Member';
        const expected = !canJoin ? 'BadRequestException' : bot.joined ? 'ConflictException' : 'ok';
        const input = { AccountId, RoomId, MemberId: bot.id, Role: each.role };
        assert.equal(await codeOf(run('CreateRoomMembership', input, as())), expected);
        bot.joined ||= expected === 'ok';
        return;
      }
      case 'leave': {
        const call = run('DeleteRoomMembership', { AccountId, RoomId, MemberId: bot.id }, as());
        assert.equal(await codeOf(call), bot.joined ? 'ok' : 'NotFoundException');
        Object.assign(bot, { joined: false, hooks: [] });
        return;
      }
      case 'hook':
        return await hook(bot, each.type);
    }
  }

  for (const each of steps) await step(each);
  const { Bots = [] } = await run('ListBots', { AccountId, MaxResults: 99 });
  assert.deepEqual(
    Bots.map(({ BotId, DisplayName, BotEmail, Disabled, SecurityToken }) => [BotId, DisplayName, BotEmail, Disabled, SecurityToken]),
    bots.map(({ id, name, disabled, token }) => [id, `${name} (Bot)`, `${name}-chimebot@example.com`, disabled, token]),
  );
  for (const { id, hasEndpoint } of bots) {
    const code = await codeOf(run('GetEventsConfiguration', { AccountId, BotId: id }));
    assert.equal(code, hasEndpoint ? 'ok' : 'NotFoundException');
  }
  const { RoomMemberships = [] } = await run('ListRoomMemberships', { AccountId, RoomId });
  assert.deepEqual(
    RoomMemberships.map(({ Member }) => Member?.MemberId),
    bots
      .filter(({ joined }) => joined)
      .map(({ id }) => id)
      .toSorted(),
  );
}

const ENGINES: readonly (readonly [engine: string, runs: number, open: () => Promise<Store>])[] = [
  ['SQLite', 60, () => openSqlite(':memory:')],
  ['PostgreSQL', 8, () => openPostgres(postgres.url)],
];
/** Steps that make the state interesting: a bot with an endpoint, in the room, with webhooks. */
const BEFORE: readonly Step[] = [
  { kind: 'create', name: 'zero' },
  { kind: 'endpoint', which: 0, answers: true },
  { kind: 'join', which: 0, role: 'Member' },
  { kind: 'hook', which: 0, type: 'ShortLived' },
  ...[1, 2, 3].map(() => ({ kind: 'hook', which: 0, type: 'Persistent' }) as const),
];

for (const [engine, numRuns, open] of ENGINES) {
  test(`Bots on ${engine}: generated calls have the outcomes of the model`, async () => {
    const store = await open();
    after(() => store.close());
    await fc.assert(
      fc.asyncProperty(fc.array(Step, { minLength: 10, maxLength: 40 }), async (steps) => {
        await store.transaction(async ({ sql }) => {
          for (const name of ['chime_account', 'chime_room', 'room_membership', 'chime_webhook', 'resource'])
            await sql.run(`DELETE FROM ${name}`);
        });
        await agree(store, [...BEFORE, ...steps]);
      }),
      { numRuns },
    );
  });
}
