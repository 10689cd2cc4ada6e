import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { statementTest } from '#policy/compile.ts';
import {
  compilePolicy,
  type FactSource,
  newRequestRecord,
  type PolicyLayers,
  type RequestRecord,
  type SourcedPolicy,
  setFacts,
} from '#policy/engine.ts';
import { explain } from '#policy/explain.ts';
import { walk } from '#policy/graph.ts';
import { beginDecision, setResource } from '#policy/request.ts';
import { realPath } from './lib-real-path.ts';
import { toCedar, toCedarContext } from './policy-cedar.ts';
import { makeWorkload } from './policy-workload.ts';

/**
 * Compares Belfry's policy engine with other engines: `node bench/policy-peers.ts`. Each engine runs in a separate
 * process, with interleaved rounds. The unit is decisions per CPU second.
 *
 * The other engines are not dependencies. Install them outside the project's `node_modules` with
 * `npm install --prefix .bench @casl/ability casbin @cloud-copilot/iam-simulate @cedar-policy/cedar-wasm pbac`.
 *
 * Belfry is measured with the real work of a server: from the headers, the address and the authenticated caller of a
 * request to the decision. The other engines receive requests that were prepared in advance.
 *
 * CASL and casbin support neither ARNs nor conditions. In this benchmark they call Belfry's compiled predicate for ARNs
 * and conditions, which improves their figures.
 */

/** Function that decides the request with this index. Returns whether the request is allowed. */
type Decide = (request: number) => boolean;
type Track = 'A' | 'B';

const workload = makeWorkload();
const { policies, principals, requests } = workload;
const fromBench = createRequire(new URL('../.bench/package.json', import.meta.url));
/** Imports a module of another engine. The path exists only if the engines are installed. */
const peer = async <Module>(path: string): Promise<Module> =>
  (await import(new URL(`../.bench/node_modules/${path}`, import.meta.url).href)) as Module;

const compiled: readonly SourcedPolicy[] = policies.map(({ name, text }) => ({ policyId: name, policy: compilePolicy(text) }));
const policyAt = (i: number): SourcedPolicy => compiled[i] as SourcedPolicy;

function layersOf(track: Track): PolicyLayers[] {
  const serviceControl = workload.serviceControl.map((text, i) => [{ policyId: `scp${i}`, policy: compilePolicy(text) }]);
  return principals.map(({ identity, boundary, session }) => ({
    identity: identity.map(policyAt),
    ...(track === 'A' ? {} : { serviceControl }),
    ...(track === 'A' || boundary === undefined ? {} : { boundary: [policyAt(boundary)] }),
    ...(track === 'A' || session === undefined ? {} : { session: [policyAt(session)] }),
  }));
}

function belfry(track: Track): Decide {
  const { decide } = realPath(workload, track);
  return (i) => decide(i) === undefined;
}

/** Request that was prepared in advance: the condition context and the resource. */
interface Prepared {
  readonly facts: FactSource;
  readonly resource: string;
}

function preparedFacts(): readonly Prepared[] {
  const { contextOf } = realPath(workload, 'A');
  return requests.map(({ resource }, i) => ({ facts: contextOf(i), resource }));
}

const RECORD: RequestRecord = newRequestRecord();

/** Returns Belfry's predicate for a statement's resources and conditions, which CASL and casbin call. */
function holdsOf({ policy }: SourcedPolicy, statement: number): (prepared: Prepared) => boolean {
  const { root } = statementTest(policy, statement, true);
  return ({ facts, resource }) => {
    setFacts(RECORD, facts);
    setResource(RECORD, resource);
    beginDecision(RECORD);
    return walk(root, RECORD) === 1;
  };
}

/** Returns the statements of a principal, with Deny statements last. */
function statementsOf(principal: number): { readonly policy: SourcedPolicy; readonly index: number; readonly effect: string }[] {
  const all = (principals[principal]?.identity ?? []).flatMap((i) => {
    const policy = policyAt(i);
    return policy.policy.lowered.statements.map(({ effect }, index) => ({ policy, index, effect }));
  });
  return all.sort((a, b) => a.effect.localeCompare(b.effect));
}

async function casl(): Promise<Decide> {
  const { Ability } = fromBench('@casl/ability') as {
    Ability: new (rules: unknown[], options: unknown) => { can(action: string, subject: unknown): boolean };
  };
  const { statementHasAction } = await import('#policy/compile.ts');
  const actions = [...new Set(requests.map(({ action }) => action))];
  const prepared = preparedFacts();
  const abilities = principals.map((_, principal) => {
    const rules = statementsOf(principal).map(({ policy, index, effect }) => {
      const statement = policy.policy.lowered.statements[index];
      const named = statement === undefined ? [] : actions.filter((action) => statementHasAction(statement, action.toLowerCase()));
      return {
        action: named,
        subject: 'all',
        inverted: effect === 'Deny',
        conditions: holdsOf(policy, index),
      };
    });
    const options = { conditionsMatcher: (holds: unknown) => holds, detectSubjectType: () => 'all' };
    return new Ability(
      rules.filter(({ action }) => action.length > 0),
      options,
    );
  });
  return (i) => {
    const request = requests[i] as (typeof requests)[number];
    return (abilities[request.principal] as (typeof abilities)[number]).can(request.action, prepared[i]);
  };
}

async function casbin(): Promise<Decide> {
  interface Enforcer {
    addPolicies(rules: string[][]): Promise<boolean>;
    addGroupingPolicies(rules: string[][]): Promise<boolean>;
    addFunction(name: string, holds: (asked: unknown, statement: string) => boolean): Promise<void>;
    enforceSync(subject: string, record: unknown): boolean;
  }
  const { newEnforcer, newModelFromString } = fromBench('casbin') as {
    newEnforcer: (model: unknown) => Promise<Enforcer>;
    newModelFromString: (text: string) => unknown;
  };
  const { statementHasAction } = await import('#policy/compile.ts');
  const model = newModelFromString(`
[request_definition]
r = sub, req
[policy_definition]
p = sub, statement, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub) && holds(r.req, p.statement)`);
  const enforcer = await newEnforcer(model);
  const statements = compiled.flatMap((source) =>
    source.policy.lowered.statements.map((statement, index) => ({
      source,
      statement,
      holds: holdsOf(source, index),
      name: `${source.policyId}/${index}`,
    })),
  );
  const byName = new Map(statements.map((one) => [one.name, one]));
  await enforcer.addFunction('holds', (asked, name) => {
    const { facts, action } = asked as { facts: Prepared; action: string };
    const { statement, holds } = byName.get(name) as (typeof statements)[number];
    return statementHasAction(statement, action) && holds(facts);
  });
  await enforcer.addPolicies(statements.map(({ source, statement, name }) => [source.policyId, name, statement.effect.toLowerCase()]));
  await enforcer.addGroupingPolicies(principals.flatMap(({ name, identity }) => identity.map((i) => [name, policyAt(i).policyId])));
  const prepared = preparedFacts();
  return (i) => {
    const { principal, action } = requests[i] as (typeof requests)[number];
    return enforcer.enforceSync(principals[principal]?.name ?? '', { facts: prepared[i], action: action.toLowerCase() });
  };
}

async function iamSimulate(track: Track): Promise<Decide> {
  interface Analysis {
    readonly result: string;
  }
  const root = '@cloud-copilot/iam-simulate/dist/esm/';
  const { authorize } = await peer<{ authorize: (request: unknown) => Analysis }>(`${root}core_engine/CoreSimulatorEngine.js`);
  const { AwsRequestImpl } = await peer<{ AwsRequestImpl: new (...parts: unknown[]) => unknown }>(`${root}request/request.js`);
  const { RequestContextImpl } = await peer<{ RequestContextImpl: new (values: unknown) => unknown }>(`${root}requestContext.js`);
  const { DiscoveryContextKeyConstraints } = await peer<{ DiscoveryContextKeyConstraints: new (list: unknown[]) => unknown }>(
    `${root}context_keys/discoveryContextKeyConstraints.js`,
  );
  const { loadPolicy } = await peer<{ loadPolicy: (document: unknown, metadata: unknown) => unknown }>(
    '@cloud-copilot/iam-policy/dist/esm/index.js',
  );
  const loaded = policies.map(({ name, text }) => loadPolicy(JSON.parse(text), { name }));
  const serviceControl = workload.serviceControl.map((text, i) => ({
    orgIdentifier: `ou-${i}`,
    policies: [loadPolicy(JSON.parse(text), { name: `scp${i}` })],
  }));
  const simulationParameters = { simulationMode: 'Strict', discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]) };
  const asked = requests.map(({ principal, action, resource, context }) => {
    const { identity, boundary, session } = principals[principal] as (typeof principals)[number];
    const both = track === 'B';
    return {
      request: new AwsRequestImpl(
        context['aws:principalarn'],
        { resource, accountId: '123456789012' },
        action,
        new RequestContextImpl(context),
        resource === '*',
      ),
      sessionPolicy: both && session !== undefined ? loaded[session] : undefined,
      identityPolicies: identity.map((i) => loaded[i]),
      serviceControlPolicies: both ? serviceControl : [],
      resourceControlPolicies: [],
      resourcePolicy: undefined,
      permissionBoundaries: both && boundary !== undefined ? [loaded[boundary]] : undefined,
      vpcEndpointPolicies: undefined,
      simulationParameters,
    };
  });
  return (i) => authorize(asked[i]).result === 'Allowed';
}

function cedar(): Decide {
  interface Cedar {
    preparsePolicySet(id: string, policies: unknown): { readonly type: string };
    statefulIsAuthorized(call: unknown): { readonly type: string; readonly response?: { readonly decision: string } };
  }
  const { preparsePolicySet, statefulIsAuthorized } = fromBench('@cedar-policy/cedar-wasm/nodejs') as Cedar;
  const sets = new Set<string>();
  const setOf = principals.map(({ identity }) => {
    const id = [...identity].sort((a, b) => a - b).join();
    if (!sets.has(id)) {
      const answer = preparsePolicySet(id, { staticPolicies: identity.map((i) => toCedar(policies[i]?.text ?? '')).join('\n') });
      if (answer.type !== 'success') throw new Error(JSON.stringify(answer));
      sets.add(id);
    }
    return id;
  });
  const calls = requests.map((request) => ({
    principal: { type: 'User', id: principals[request.principal]?.name ?? '' },
    action: { type: 'Action', id: 'call' },
    resource: { type: 'Resource', id: 'any' },
    context: toCedarContext(request),
    preparsedPolicySetId: setOf[request.principal] ?? '',
    entities: [],
  }));
  return (i) => statefulIsAuthorized(calls[i]).response?.decision === 'allow';
}

function pbac(): Decide {
  const Pbac = fromBench('pbac') as new (policies: unknown, options: unknown) => { evaluate(params: unknown): boolean };
  const evaluators = principals.map(
    ({ identity }) =>
      new Pbac(
        identity.map((i) => withLists(policies[i]?.text ?? '')),
        { validatePolicies: false, validateSchema: false },
      ),
  );
  const asked = requests.map(({ action, resource, context }) => {
    const nested: Record<string, Record<string, string>> = {};
    for (const [key, value] of Object.entries(context)) {
      const name = ORIGINAL_KEYS[key] ?? key;
      const [service = '', part = ''] = name.split(':');
      nested[service] = { ...nested[service], [part]: value };
    }
    return { action, resource, context: nested };
  });
  return (i) => {
    const request = asked[i] as (typeof asked)[number];
    return (evaluators[requests[i]?.principal ?? 0] as (typeof evaluators)[number]).evaluate(request);
  };
}

/** Converts single actions and resources to lists, because pbac accepts only lists. */
function withLists(text: string): unknown {
  const document = JSON.parse(text) as { Statement: Record<string, unknown> | Record<string, unknown>[] };
  for (const statement of [document.Statement].flat()) {
    for (const name of ['Action', 'NotAction', 'Resource', 'NotResource']) {
      if (typeof statement[name] === 'string') statement[name] = [statement[name]];
    }
  }
  return { ...document, Statement: [document.Statement].flat() };
}

/** Context keys with the capitalization that the policies use, because pbac compares keys case-sensitively. */
const ORIGINAL_KEYS: Readonly<Record<string, string>> = {
  'aws:sourceip': 'aws:SourceIp',
  'aws:securetransport': 'aws:SecureTransport',
  'aws:requestedregion': 'aws:RequestedRegion',
  'aws:currenttime': 'aws:CurrentTime',
  'aws:useragent': 'aws:UserAgent',
  'aws:multifactorauthpresent': 'aws:MultiFactorAuthPresent',
  'aws:multifactorauthage': 'aws:MultiFactorAuthAge',
  'aws:principalorgid': 'aws:PrincipalOrgID',
  'aws:principalarn': 'aws:PrincipalArn',
  'aws:principaltag/team': 'aws:PrincipalTag/team',
};

/** Compared engines. An entry creates the decision function of an engine for a track (a variant of the workload). */
const ENGINES: Readonly<Record<string, (track: Track) => Decide | Promise<Decide>>> = {
  'Belfry A': () => belfry('A'),
  'CASL A': casl,
  'casbin A': casbin,
  'pbac A': pbac,
  'iam-simulate A': () => iamSimulate('A'),
  'cedar-wasm A': cedar,
  'Belfry B': () => belfry('B'),
  'iam-simulate B': () => iamSimulate('B'),
};

interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly falseAllows: number;
  readonly falseDenies: number;
}

/** Measures decisions for about two CPU seconds, after a warm-up of half a CPU second. */
async function measure(name: string): Promise<Figures> {
  const engine = ENGINES[name];
  if (engine === undefined) throw new Error(`unknown engine '${name}' (engines: ${Object.keys(ENGINES).join(', ')})`);
  const track = name.endsWith('B') ? 'B' : 'A';
  const decide = await engine(track);
  const layers = layersOf(track);
  let falseAllows = 0;
  let falseDenies = 0;
  requests.forEach(({ principal, action, resource, context }, i) => {
    const right = explain(layers[principal] as PolicyLayers, {
      action,
      resources: [resource],
      context: new Map(Object.entries(context)),
    }).decision;
    const allowed = decide(i);
    if (allowed && right.effect === 'Deny') falseAllows++;
    if (!allowed && right.effect === 'Allow') falseDenies++;
  });
  const run = (seconds: number): number => {
    const before = process.cpuUsage();
    let decisions = 0;
    let spent = 0;
    while (spent < seconds * 1e6) {
      const from = decisions % requests.length;
      for (let i = from; i < Math.min(from + 500, requests.length); i++, decisions++) decide(i);
      const { user, system } = process.cpuUsage(before);
      spent = user + system;
    }
    return decisions / (spent / 1e6);
  };
  run(0.5);
  const perSecond = run(2);
  const times = Float64Array.from({ length: 10_000 }, (_, i) => {
    const before = process.hrtime.bigint();
    decide(i);
    return Number(process.hrtime.bigint() - before);
  }).sort();
  return { perSecond, p50: times[5000] ?? 0, p99: times[9900] ?? 0, falseAllows, falseDenies };
}

const only = process.argv[2];
if (only !== undefined && only !== '--rounds') {
  console.log(JSON.stringify(await measure(only)));
} else {
  const rounds = Number(process.argv[3] ?? 3);
  const all = new Map<string, Figures[]>(Object.keys(ENGINES).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, figures] of all) {
      const text = execFileSync(process.execPath, [import.meta.filename, name], { encoding: 'utf8' });
      figures.push(JSON.parse(text.trim().split('\n').at(-1) ?? '') as Figures);
    }
  }
  const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
  console.log('| engine, track | median /s | best /s | p50 / p99 ns | false allows / denies | Belfry is faster by |');
  console.log('|---|---|---|---|---|---|');
  for (const [name, figures] of all) {
    const rate = median(figures.map(({ perSecond }) => perSecond));
    const ours = median((all.get(`Belfry ${name.at(-1)}`) ?? []).map(({ perSecond }) => perSecond));
    const best = Math.max(...figures.map(({ perSecond }) => perSecond));
    const { falseAllows = 0, falseDenies = 0 } = figures[0] ?? {};
    const times = `${median(figures.map(({ p50 }) => p50))} / ${median(figures.map(({ p99 }) => p99))}`;
    console.log(
      `| ${name} | ${Math.round(rate)} | ${Math.round(best)} | ${times} | ${falseAllows} / ${falseDenies} | ${(ours / rate).toFixed(1)} |`,
    );
  }
}
