/** Resources of voice against a simple model in memory: generated calls on both engines. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { instant } from '#core/instant.ts';
import { seattleNumber, stock } from '#services/chime-kit/inventory-fixture.ts';
import { DEFAULT_VOICE_LIMITS } from '#services/chime-kit/voice-limits.ts';
import { lambdaIn, openFixture, START } from '#services/chime-sdk-voice/fixture.ts';
import { DEFAULT_HOST_SUFFIX } from '#services/chime-sdk-voice/host-names.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());

const REGIONS = ['us-east-1', 'us-west-2'] as const;
const NUMBERS = ['+12065550101', '+12065550102'];
/** Numbers that SIP rules can have. */
const DIAL_IN = ['+12065550103', '+12065550104'];
/** Low limits, so that generated calls reach them. */
const LIMITS = {
  ...DEFAULT_VOICE_LIMITS,
  connectors: 2,
  groups: 2,
  connectorsInGroup: 2,
  sipMediaApplications: 2,
  sipRules: 2,
  profileDomains: 2,
};
/** Time after which an ordered number can be used. */
const READY_MS = 20_000;

interface Resource {
  readonly id: string;
  readonly region: string;
  name: string;
  deleted: boolean;
}
interface Group extends Resource {
  items: readonly string[];
}
interface Rule extends Resource {
  readonly trigger: string;
  targets: readonly string[];
  disabled: boolean;
}
type Association = { readonly name: 'VoiceConnectorId' | 'VoiceConnectorGroupId'; readonly id: string };

const Region = fc.constantFrom(...REGIONS);
const Name = fc.constantFrom('a', 'b', 'c');
const Which = fc.nat({ max: 2 });
const Several = fc.array(Which, { maxLength: 3 });
const kind = <const Kind extends string>(name: Kind) => fc.constant(name);

const Connector = [
  fc.record({ kind: kind('create connector'), region: Region, name: Name }),
  fc.record({ kind: kind('update connector'), which: Which, name: Name }),
  fc.record({ kind: kind('delete connector'), which: Which }),
] as const;
const TrunkStep = fc.oneof(
  ...Connector,
  fc.record({ kind: kind('create group'), region: Region, name: Name, items: Several }),
  fc.record({ kind: kind('update group'), which: Which, name: Name, items: Several }),
  fc.record({ kind: kind('delete group'), which: Which }),
  fc.record({
    kind: kind('associate'),
    to: fc.constantFrom('connector', 'group'),
    which: Which,
    numbers: fc.subarray(NUMBERS, { minLength: 1 }),
    force: fc.boolean(),
  }),
  fc.record({
    kind: kind('disassociate'),
    to: fc.constantFrom('connector', 'group'),
    which: Which,
    numbers: fc.subarray(NUMBERS, { minLength: 1 }),
  }),
);
const ApplicationStep = fc.oneof(
  ...Connector,
  fc.record({ kind: kind('create application'), region: Region, name: Name }),
  fc.record({ kind: kind('update application'), which: Which, name: Name }),
  fc.record({ kind: kind('delete application'), which: Which }),
  fc.record({
    kind: kind('create rule'),
    region: Region,
    name: Name,
    trigger: fc.oneof(fc.constantFrom(...DIAL_IN), Which),
    targets: Several,
    disabled: fc.boolean(),
  }),
  fc.record({ kind: kind('update rule'), which: Which, name: Name, targets: fc.option(Several), disabled: fc.option(fc.boolean()) }),
  fc.record({ kind: kind('delete rule'), which: Which }),
);
const DomainStep = fc.oneof(
  fc.record({ kind: kind('create domain'), region: Region, name: Name }),
  fc.record({ kind: kind('update domain'), which: Which, name: Name }),
  fc.record({ kind: kind('delete domain'), which: Which }),
);
type ValueOf<Arbitrary> = Arbitrary extends fc.Arbitrary<infer Value> ? Value : never;
type Step = ValueOf<typeof TrunkStep> | ValueOf<typeof ApplicationStep> | ValueOf<typeof DomainStep>;

/** Returns the code of an error, or `ok`. */
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: { readonly code: string }) => error.code,
  );

/** Deletes what earlier steps stored, and gives the account its numbers. */
async function prepare(store: Store): Promise<void> {
  await store.transaction(async ({ sql }) => {
    for (const table of ['resource', 'phone_number_order', 'phone_number', 'phone_inventory']) await sql.run(`DELETE FROM ${table}`);
  });
  await stock(store, ...[...NUMBERS, ...DIAL_IN].map((number) => seattleNumber(number)));
}

type Run = Awaited<ReturnType<typeof openFixture>>['run'];

/** Resources of the model, including deleted ones, and the operations to compare it with. */
function newModel(run: Run) {
  return {
    run,
    connectors: [] as Resource[],
    groups: [] as Group[],
    applications: [] as Resource[],
    rules: [] as Rule[],
    domains: [] as Resource[],
    /** Association of each number that has one. */
    associations: new Map<string, Association>(),
    now: instant(START + READY_MS),
  };
}
type Model = ReturnType<typeof newModel>;

const live = <Of extends Resource>(all: readonly Of[]) => all.filter(({ deleted }) => !deleted);
const unknown = (which: number) => ({ id: `unknown-${which}`, region: REGIONS[0], name: '', deleted: true });
const idsOf = (all: readonly Resource[], which: readonly number[]) => which.map((each) => (all[each] ?? unknown(each)).id);
const isFull = (all: readonly Resource[], most: number, region?: string) =>
  live(all).filter((each) => region === undefined || each.region === region).length >= most;

/** Checks the outcome of a creation. Adds the resource to the model if the model expects success. */
async function created<Of extends Resource>(
  all: Of[],
  expected: string,
  work: Promise<string | undefined>,
  more: Omit<Of, 'id' | 'deleted'>,
): Promise<void> {
  let id: string | undefined;
  assert.equal(await codeOf(work.then((made) => (id = made))), expected);
  if (id !== undefined) all.push({ ...more, id, deleted: false } as Of);
}

/** Checks the outcome of a change. Changes the resource in the model if the model expects success. */
async function changed<Of extends Resource>(resource: Of, expected: string, work: Promise<unknown>, changes: Partial<Of>): Promise<void> {
  assert.equal(await codeOf(work), resource.deleted ? 'NotFoundException' : expected);
  if (!resource.deleted && expected === 'ok') Object.assign(resource, changes);
}

/** Error of the Voice Connectors of a group, in their order. */
function itemsError({ connectors }: Model, ids: readonly string[]): string {
  for (const [i, id] of ids.entries()) {
    if (ids.indexOf(id) !== i) return 'BadRequestException';
    if (!live(connectors).some((each) => each.id === id)) return 'NotFoundException';
  }
  return 'ok';
}

/** Error of the targets of a rule: an unknown application, or two of one region. */
function targetsError({ applications }: Model, ids: readonly string[]): string {
  const regions = ids.map((id) => live(applications).find((each) => each.id === id)?.region);
  return regions.includes(undefined) || new Set(regions).size < regions.length ? 'BadRequestException' : 'ok';
}

const hasNumbers = ({ associations }: Model, { id }: Resource) => [...associations.values()].some((association) => association.id === id);
const isNameTaken = ({ applications }: Model, name: string, region: string, id?: string) =>
  live(applications).some((each) => each.region === region && each.id !== id && each.name === name);

type StepOf<Kind extends Step['kind']> = Extract<Step, { readonly kind: Kind }>;
type Handlers<Kinds extends Step['kind']> = { readonly [Kind in Kinds]: (model: Model, step: StepOf<Kind>) => Promise<void> };

const CONNECTORS: Handlers<'create connector' | 'update connector' | 'delete connector'> = {
  async 'create connector'({ run, connectors, now }, { region, name }) {
    const expected = isFull(connectors, LIMITS.connectors, region) ? 'ResourceLimitExceededException' : 'ok';
    const work = run('CreateVoiceConnector', { Name: name, RequireEncryption: false }, { region, now });
    await created(
      connectors,
      expected,
      work.then(({ VoiceConnector }) => VoiceConnector?.VoiceConnectorId),
      { region, name },
    );
  },
  async 'update connector'({ run, connectors, now }, { which, name }) {
    const connector = connectors[which] ?? unknown(which);
    const input = { VoiceConnectorId: connector.id, Name: name, RequireEncryption: true };
    await changed(connector, 'ok', run('UpdateVoiceConnector', input, { region: connector.region, now }), { name });
  },
  async 'delete connector'(model, { which }) {
    const connector = model.connectors[which] ?? unknown(which);
    const isUsed = live(model.groups).some(({ items }) => items.includes(connector.id)) || hasNumbers(model, connector);
    const work = model.run('DeleteVoiceConnector', { VoiceConnectorId: connector.id }, { region: connector.region, now: model.now });
    await changed(connector, isUsed ? 'ConflictException' : 'ok', work, { deleted: true });
  },
};

const GROUPS: Handlers<'create group' | 'update group' | 'delete group'> = {
  async 'create group'(model, { region, name, items: which }) {
    const items = idsOf(model.connectors, which);
    const VoiceConnectorItems = items.map((VoiceConnectorId) => ({ VoiceConnectorId, Priority: 1 }));
    const full = isFull(model.groups, LIMITS.groups) || items.length > LIMITS.connectorsInGroup;
    const expected = full ? 'ResourceLimitExceededException' : itemsError(model, items);
    const work = model.run('CreateVoiceConnectorGroup', { Name: name, VoiceConnectorItems }, { region, now: model.now });
    const id = work.then(({ VoiceConnectorGroup }) => VoiceConnectorGroup?.VoiceConnectorGroupId);
    await created(model.groups, expected, id, { region, name, items });
  },
  async 'update group'(model, { which, name, items: connectors }) {
    const group = model.groups[which] ?? { ...unknown(which), items: [] };
    const items = idsOf(model.connectors, connectors);
    const VoiceConnectorItems = items.map((VoiceConnectorId) => ({ VoiceConnectorId, Priority: 1 }));
    const input = { VoiceConnectorGroupId: group.id, Name: name, VoiceConnectorItems };
    const expected = items.length > LIMITS.connectorsInGroup ? 'BadRequestException' : itemsError(model, items);
    await changed(group, expected, model.run('UpdateVoiceConnectorGroup', input, { region: group.region, now: model.now }), {
      name,
      items,
    });
  },
  async 'delete group'(model, { which }) {
    const group = model.groups[which] ?? { ...unknown(which), items: [] };
    const isUsed = group.items.length > 0 || hasNumbers(model, group);
    const work = model.run('DeleteVoiceConnectorGroup', { VoiceConnectorGroupId: group.id }, { region: group.region, now: model.now });
    await changed(group, isUsed ? 'ConflictException' : 'ok', work, { deleted: true });
  },
};

/** Checks an association or its end, whose errors are in the response. */
async function numbersMoved(model: Model, each: StepOf<'associate' | 'disassociate'>): Promise<void> {
  const { associations, now } = model;
  const isConnector = each.to === 'connector';
  const resource = (isConnector ? model.connectors : model.groups)[each.which] ?? unknown(each.which);
  const name = isConnector ? 'VoiceConnectorId' : 'VoiceConnectorGroupId';
  const verb = each.kind === 'associate' ? 'AssociatePhoneNumbersWith' : 'DisassociatePhoneNumbersFrom';
  const input = { [name]: resource.id, E164PhoneNumbers: each.numbers, ...('force' in each && { ForceAssociate: each.force }) };
  const operation = `${verb}VoiceConnector${isConnector ? '' : 'Group'}` as 'AssociatePhoneNumbersWithVoiceConnector';
  const work = model.run(operation, input as never, { region: resource.region, now });
  if (resource.deleted) return assert.equal(await codeOf(work), 'NotFoundException');
  const expected: string[] = [];
  for (const number of each.numbers) {
    const before = associations.get(number);
    const isOwn = before?.id === resource.id;
    if (each.kind === 'disassociate') {
      if (isOwn) associations.delete(number);
      else expected.push(`${number} NotFound`);
    } else if (!isOwn && before !== undefined && !each.force) expected.push(`${number} PhoneNumberAssociationsExist`);
    else associations.set(number, { name, id: resource.id });
  }
  const { PhoneNumberErrors = [] } = await work;
  assert.deepEqual(
    PhoneNumberErrors.map(({ PhoneNumberId, ErrorCode }) => `${PhoneNumberId} ${ErrorCode}`),
    expected,
  );
}

const APPLICATIONS: Handlers<'create application' | 'update application' | 'delete application'> = {
  async 'create application'(model, { region, name }) {
    const input = { Name: name, AwsRegion: region, Endpoints: [{ LambdaArn: lambdaIn(region) }] };
    const full = isFull(model.applications, LIMITS.sipMediaApplications, region) ? 'ResourceLimitExceededException' : 'ok';
    const expected = isNameTaken(model, name, region) ? 'ConflictException' : full;
    const work = model.run('CreateSipMediaApplication', input, { region, now: model.now });
    const id = work.then(({ SipMediaApplication }) => SipMediaApplication?.SipMediaApplicationId);
    await created(model.applications, expected, id, { region, name });
  },
  async 'update application'(model, { which, name }) {
    const application = model.applications[which] ?? unknown(which);
    const { id, region } = application;
    const work = model.run('UpdateSipMediaApplication', { SipMediaApplicationId: id, Name: name }, { region, now: model.now });
    await changed(application, isNameTaken(model, name, region, id) ? 'ConflictException' : 'ok', work, { name });
  },
  async 'delete application'(model, { which }) {
    const application = model.applications[which] ?? unknown(which);
    const { id, region } = application;
    const isUsed = live(model.rules).some(({ targets, disabled }) => !disabled && targets.includes(id));
    const work = model.run('DeleteSipMediaApplication', { SipMediaApplicationId: id }, { region, now: model.now });
    await changed(application, isUsed ? 'ConflictException' : 'ok', work, { deleted: true });
  },
};

const toTargets = (ids: readonly string[]) => ids.map((SipMediaApplicationId) => ({ SipMediaApplicationId, Priority: 1 }));

const RULES: Handlers<'create rule' | 'update rule' | 'delete rule'> = {
  async 'create rule'(model, { region, name, trigger: which, targets: applications, disabled }) {
    const connector = typeof which === 'number' ? (model.connectors[which] ?? unknown(which)) : undefined;
    const trigger = connector === undefined ? String(which) : `${connector.id}${DEFAULT_HOST_SUFFIX}`;
    const targets = idsOf(model.applications, applications);
    const input = {
      Name: name,
      TriggerType: connector === undefined ? ('ToPhoneNumber' as const) : ('RequestUriHostname' as const),
      TriggerValue: trigger,
      Disabled: disabled,
      TargetApplications: toTargets(targets),
    };
    const errors = [
      connector?.deleted ? 'BadRequestException' : 'ok',
      targetsError(model, targets),
      live(model.rules).some((rule) => rule.trigger === trigger) ? 'ConflictException' : 'ok',
      isFull(model.rules, LIMITS.sipRules) ? 'ResourceLimitExceededException' : 'ok',
    ];
    const id = model.run('CreateSipRule', input, { region, now: model.now }).then(({ SipRule }) => SipRule?.SipRuleId);
    await created(model.rules, errors.find((code) => code !== 'ok') ?? 'ok', id, { region, name, trigger, targets, disabled });
  },
  async 'update rule'(model, each) {
    const rule = model.rules[each.which] ?? { ...unknown(each.which), trigger: '', targets: [], disabled: false };
    const disabled = each.disabled ?? rule.disabled;
    const targets = each.targets === null ? rule.targets : idsOf(model.applications, each.targets);
    const input = {
      SipRuleId: rule.id,
      Name: each.name,
      ...(each.disabled !== null && { Disabled: each.disabled }),
      ...(each.targets !== null && { TargetApplications: toTargets(targets) }),
    };
    const expected = each.targets === null && disabled ? 'ok' : targetsError(model, targets);
    const work = model.run('UpdateSipRule', input, { region: rule.region, now: model.now });
    await changed(rule, expected, work, { name: each.name, disabled, targets });
  },
  async 'delete rule'({ run, rules, now }, { which }) {
    const rule = rules[which] ?? unknown(which);
    await changed(rule, 'ok', run('DeleteSipRule', { SipRuleId: rule.id }, { region: rule.region, now }), { deleted: true });
  },
};

const DOMAINS: Handlers<'create domain' | 'update domain' | 'delete domain'> = {
  async 'create domain'({ run, domains, now }, { region, name }) {
    const ServerSideEncryptionConfiguration = { KmsKeyArn: `arn:aws:kms:${region}:111122223333:key/k` };
    const expected = isFull(domains, LIMITS.profileDomains, region) ? 'ResourceLimitExceededException' : 'ok';
    const work = run('CreateVoiceProfileDomain', { Name: name, ServerSideEncryptionConfiguration }, { region, now });
    await created(
      domains,
      expected,
      work.then(({ VoiceProfileDomain }) => VoiceProfileDomain?.VoiceProfileDomainId),
      { region, name },
    );
  },
  async 'update domain'({ run, domains, now }, { which, name }) {
    const domain = domains[which] ?? unknown(which);
    const input = { VoiceProfileDomainId: domain.id, Name: name };
    await changed(domain, 'ok', run('UpdateVoiceProfileDomain', input, { region: domain.region, now }), { name });
  },
  async 'delete domain'({ run, domains, now }, { which }) {
    const domain = domains[which] ?? unknown(which);
    const work = run('DeleteVoiceProfileDomain', { VoiceProfileDomainId: domain.id }, { region: domain.region, now });
    await changed(domain, 'ok', work, { deleted: true });
  },
};

const HANDLERS: Handlers<Step['kind']> = {
  ...CONNECTORS,
  ...GROUPS,
  ...APPLICATIONS,
  ...RULES,
  ...DOMAINS,
  associate: numbersMoved,
  disassociate: numbersMoved,
};

/** Compares the lists of one region with the model. */
async function compareLists({ run, now, ...model }: Model, region: string): Promise<void> {
  const as = { region, now };
  const { VoiceConnectors = [] } = await run('ListVoiceConnectors', {}, as);
  const { VoiceConnectorGroups = [] } = await run('ListVoiceConnectorGroups', {}, as);
  const { SipMediaApplications = [] } = await run('ListSipMediaApplications', {}, as);
  const { SipRules = [] } = await run('ListSipRules', {}, as);
  const { VoiceProfileDomains = [] } = await run('ListVoiceProfileDomains', {}, as);
  const actual = [
    ...VoiceConnectors.map((each) => [each.VoiceConnectorId, each.Name]),
    ...VoiceConnectorGroups.map((each) => [
      each.VoiceConnectorGroupId,
      each.Name,
      each.VoiceConnectorItems?.map((item) => item.VoiceConnectorId),
    ]),
    ...SipMediaApplications.map((each) => [each.SipMediaApplicationId, each.Name]),
    ...SipRules.map((each) => [
      ...[each.SipRuleId, each.Name, each.TriggerValue, each.Disabled],
      each.TargetApplications?.map((target) => target.SipMediaApplicationId),
    ]),
    ...VoiceProfileDomains.map((each) => [each.VoiceProfileDomainId, each.Name]),
  ];
  const here = <Of extends Resource>(all: readonly Of[]) => live(all).filter((each) => each.region === region);
  const expected = [
    ...[...here(model.connectors), ...here(model.applications), ...here(model.domains)].map(({ id, name }) => [id, name]),
    ...here(model.groups).map(({ id, name, items }) => [id, name, items]),
    ...here(model.rules).map(({ id, name, trigger, targets, disabled }) => [id, name, trigger, disabled, targets]),
  ];
  const sorted = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
  assert.deepEqual(sorted(actual), sorted(expected));
}

/** Compares the associations of the numbers with the model. */
async function compareNumbers({ run, now, associations, rules }: Model): Promise<void> {
  const { PhoneNumbers = [] } = await run('ListPhoneNumbers', {}, { now });
  assert.deepEqual(
    PhoneNumbers.map(({ E164PhoneNumber, Associations = [] }) => [
      E164PhoneNumber,
      ...Associations.map(({ Name: name, Value: id }) => ({ name, id })),
    ]),
    [
      ...NUMBERS.map((number) => [number, ...[associations.get(number) ?? []].flat()]),
      ...DIAL_IN.map((number) => [
        number,
        ...live(rules).flatMap(({ id, trigger }) => (trigger === number ? [{ name: 'SipRuleId', id }] : [])),
      ]),
    ],
  );
}

/** Runs steps on a store and on the model, and compares each outcome and the lists after each step. */
async function agree(store: Store, steps: readonly Step[]): Promise<void> {
  const { run } = await openFixture({ limits: LIMITS }, store);
  await run('CreatePhoneNumberOrder', { ProductType: 'VoiceConnector', E164PhoneNumbers: NUMBERS });
  await run('CreatePhoneNumberOrder', { ProductType: 'SipMediaApplicationDialIn', E164PhoneNumbers: DIAL_IN });
  const model = newModel(run);
  for (const each of steps) {
    model.now = instant(model.now + 1);
    await (HANDLERS[each.kind] as (model: Model, step: Step) => Promise<void>)(model, each);
    for (const region of REGIONS) await compareLists(model, region);
    await compareNumbers(model);
  }
}

// biome-ignore format: a table
const KINDS: readonly (readonly [title: string, step: fc.Arbitrary<Step>, first: readonly Step[]])[] = [
  ['Voice Connectors, groups and their numbers', TrunkStep,       REGIONS.map((region) => ({ kind: 'create connector', region, name: 'a' }))   ],
  ['SIP media applications and rules',           ApplicationStep, REGIONS.map((region) => ({ kind: 'create application', region, name: 'a' })) ],
  ['Voice profile domains',                      DomainStep,      []                                                                          ],
];
const ENGINES: readonly (readonly [engine: string, runs: number, open: () => Promise<Store>])[] = [
  ['SQLite', 30, () => openSqlite(':memory:')],
  ['PostgreSQL', 4, () => openPostgres(postgres.url)],
];

for (const [engine, numRuns, open] of ENGINES) {
  const opened = open();
  after(async () => (await opened).close());

  for (const [title, step, first] of KINDS) {
    test(`${title} on ${engine}: generated calls have the outcomes of the model`, async () => {
      const store = await opened;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
          await prepare(store);
          await agree(store, [...first, ...steps]);
        }),
        { numRuns },
      );
    });
  }
}
