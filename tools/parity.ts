/**
 * `npm run parity`: writes `docs/parity.md`, which lists every operation, whether it is implemented, the clients that test it, and the
 * number of assumptions. Also writes the counts in the README's table of services. With `--check`, it writes nothing and fails if a page
 * differs.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { counted } from '#core/counted.ts';
import { loadLegacyModel, loadModel } from '#model/load.ts';
import { SERVICE_NAMES, type ServiceName } from '#model/services.ts';
import { isNotYet, isRefused } from '#services/kit/not-yet.ts';
import { type ClientName, calls, type TestText } from './parity/clients.ts';
import { REASONS } from './parity/reasons.ts';
import { REFUSED, STORED, type StoredInputs } from './parity/stored.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = `${ROOT}docs/parity.md`;
const README = `${ROOT}README.md`;
const CLIENTS: readonly ClientName[] = ['SDK', 'CLI', 'boto3'];

interface OperationParity {
  readonly operation: string;
  readonly built: boolean;
  /** Whether the server refuses every request with an error of the model. Such an operation is not implemented. */
  readonly isRefused?: true;
  /** Inputs of an implemented operation that are stored and returned without another effect. */
  readonly stored?: StoredInputs;
  /** Inputs that an implemented operation refuses, although AWS accepts them. */
  readonly refused?: StoredInputs;
  /** Reason for an operation that is intentionally not implemented. */
  readonly reason?: string;
  readonly testedBy: readonly ClientName[];
  /** File of the operation, relative to the service's folder. */
  readonly file?: string;
  readonly assumed: number;
}

interface ServiceParity {
  readonly service: ServiceName;
  readonly title: string;
  readonly operations: readonly OperationParity[];
  /** Number of operations that AWS removed from the service. */
  readonly removed: number;
  /** Names of operations that the server intentionally does not have. */
  readonly unsupported: readonly string[];
  /** Number of operations that this project adds to the service. */
  readonly own: number;
  /** Number of `Assumed:` lines in the service's folder. */
  readonly assumed: number;
}

/** Returns the state of every operation of every service. */
export async function parity(): Promise<readonly ServiceParity[]> {
  const tests = testTexts();
  return Promise.all(SERVICE_NAMES.map((service) => serviceParity(service, tests)));
}

async function serviceParity(service: ServiceName, tests: readonly TestText[]): Promise<ServiceParity> {
  const folder = `${ROOT}src/services/${service}`;
  const sources = existsSync(folder) ? textsUnder(folder, (path) => path.endsWith('.ts') && !path.endsWith('.test.ts')) : [];
  const table = await operationTableOf(service);
  const model = loadModel(service);
  const published = Object.values(model.operations).filter(({ own }) => own !== true);
  const operations = published.map(({ name: operation }) => {
    const entry = table[operation];
    const built = entry !== undefined && !isNotYet(entry);
    const reason = built ? undefined : REASONS[service]?.get(operation);
    const stored = built ? STORED[service]?.get(operation) : undefined;
    const refused = built ? REFUSED[service]?.get(operation) : undefined;
    const source = built ? sources.find(({ text }) => hasOperation(text, operation)) : undefined;
    return {
      operation,
      built,
      ...(entry !== undefined && isRefused(entry) && { isRefused: true as const }),
      ...(stored !== undefined && { stored }),
      ...(refused !== undefined && { refused }),
      ...(reason !== undefined && { reason }),
      testedBy: CLIENTS.filter((client) => tests.some((test) => calls(test, client, service, operation))),
      ...(source && { file: source.path.slice(folder.length + 1) }),
      assumed: source ? assumedIn(source.text) : 0,
    };
  });
  return {
    service,
    title: model.serviceId,
    operations,
    removed: Object.keys(model.removed).length,
    unsupported: Object.keys(model.unsupported ?? {}),
    own: Object.keys(model.operations).length - published.length,
    assumed: sources.reduce((sum, { text }) => sum + assumedIn(text), 0),
  };
}

/** Returns the operation table of a service. The operations can be inspected, but not run. */
export function operationTableOf(service: ServiceName): Promise<Readonly<Record<string, object>>> {
  return tableOf(`${ROOT}src/services/${service}/operations.ts`);
}

/**
 * Returns the operation table that a service's `operations.ts` exports: `operations`, or the result of a function `…Operations`.
 *
 * The function is called with a stub that has every property. The names of the operations do not depend on the argument.
 */
async function tableOf(path: string): Promise<Readonly<Record<string, object>>> {
  if (!existsSync(path)) return {};
  const exported = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  const table =
    exported['operations'] ??
    Object.entries(exported).find(([name, value]) => name.endsWith('Operations') && typeof value === 'function')?.[1];
  if (table === undefined) throw new Error(`${path} exports neither operations nor a function …Operations`);
  return (typeof table === 'function' ? table(stub()) : table) as Readonly<Record<string, object>>;
}

function stub(): object {
  const itself: object = new Proxy(() => undefined, { get: () => itself, apply: () => itself });
  return itself;
}

/** Reports whether a source has an operation as a key of a table or as an exported constant or function. */
function hasOperation(text: string, operation: string): boolean {
  const constant = operation.charAt(0).toLowerCase() + operation.slice(1);
  const named = `^ *${operation}(?::|\\()|\\boperation: '${operation}'|^export (?:const|function) ${constant}\\b`;
  return new RegExp(named, 'm').test(text);
}

function assumedIn(text: string): number {
  return text.match(/\bAssumed:/g)?.length ?? 0;
}

/** Returns all files that may contain tests: those under `test/` and the `*.test.ts` files under `src/`. */
function testTexts(): readonly TestText[] {
  return [
    ...textsUnder(`${ROOT}test`, (path) => /\.(?:ts|mjs|js|py|sh|json)$/.test(path)),
    ...textsUnder(`${ROOT}src`, (path) => path.endsWith('.test.ts')),
  ];
}

function textsUnder(folder: string, wanted: (path: string) => boolean): readonly TestText[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(wanted)
    .sort()
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

/** An operation that AWS removed from Chime. */
export interface LegacyParity {
  readonly operation: string;
  /** Titles of the services that have the operation today. Empty if the server always refuses the operation. */
  readonly successors: readonly string[];
  /** Whether a successor implements the operation. */
  readonly built: boolean;
  /** Whether the successor refuses every request. */
  readonly isRefused?: true;
}

/** Returns the state of every operation that AWS removed from Chime. */
export function legacyParity(services: readonly ServiceParity[]): readonly LegacyParity[] {
  const { successors = {} } = loadLegacyModel();
  return Object.keys(loadModel('chime').removed).map((operation) => {
    const today = successors[operation] ?? [];
    const ofToday = services
      .filter(({ service }) => today.includes(service))
      .flatMap(({ operations }) => operations.filter((each) => each.operation === operation));
    return {
      operation,
      successors: today.map((service) => loadModel(service).serviceId),
      built: ofToday.some(({ built }) => built),
      ...(ofToday.some((each) => each.isRefused) && { isRefused: true as const }),
    };
  });
}

function legacySection(services: readonly ServiceParity[]): readonly string[] {
  const state = ({ successors, built, isRefused: refused }: LegacyParity): string => {
    if (successors.length === 0) return 'refused: no successor';
    if (built) return 'served with `BELFRY_LEGACY_CHIME=on`';
    return refused ? 'refused, as in the successor' : 'not yet, as in the successor';
  };
  const legacy = legacyParity(services);
  const served = legacy.filter(({ built }) => built).length;
  return [
    '',
    '## <a id="chime-legacy"></a>Chime: removed operations',
    '',
    `AWS removed these ${legacy.length} operations of Chime in 2025. By default the server refuses all of them. With \`BELFRY_LEGACY_CHIME=on\` it serves ${served}`,
    'under their old names: the operation of the successor runs, so inputs have the effect that the table of the successor states.',
    'The counts on this page do not include them.',
    '',
    '| operation | state | successor |',
    '| --- | --- | --- |',
    ...legacy.map((each) => `| ${each.operation} | ${state(each)} | ${each.successors.join(', ')} |`),
  ];
}

/** Returns the text of `docs/parity.md`. */
export function page(services: readonly ServiceParity[]): string {
  const all = services.flatMap(({ operations }) => operations);
  const count = (operations: readonly OperationParity[], client: ClientName) =>
    operations.filter(({ testedBy }) => testedBy.includes(client)).length;
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const totals = (name: string, operations: readonly OperationParity[], assumed: number) =>
    row([
      name,
      operations.length,
      operations.filter(({ built }) => built).length,
      operations.filter((each) => each.isRefused).length,
      operations.filter(({ stored }) => stored !== undefined).length,
      ...CLIENTS.map((client) => count(operations, client)),
      assumed,
    ]);

  return [
    '# Parity',
    '',
    '`npm run parity` generates this page from the models, the operation tables and the tests. Do not edit it.',
    '',
    'An operation that is not implemented checks the permission of the caller and then returns `NotYetImplementedException`.',
    'One that is refused also checks the resources of the request, and then returns an error of its model. No request can complete it.',
    '"Stored, not acted on" means that the server checks, stores and returns the inputs, and that they have no other effect yet.',
    'Without a list of inputs, it applies to everything that the operation sets. The column counts the operations with such inputs.',
    'Meetings carry no media: the server issues join tokens, and no media server accepts them.',
    '"Tested with" lists the unmodified clients that call the operation in a test: the AWS SDK for JavaScript v3, the AWS CLI and boto3.',
    '"Assumed" counts the places in the sources where the behavior of AWS is undocumented and we chose one (`grep -rn "Assumed:" src`).',
    '',
    row([
      'service',
      'operations',
      'implemented',
      'refused',
      'stored, not acted on',
      ...CLIENTS.map((client) => `tested with ${client}`),
      'assumed',
    ]),
    row(['---', ...Array.from({ length: CLIENTS.length + 5 }, () => '---:')]),
    ...services.map(({ service, title, operations, assumed }) => totals(`[${title}](#${service})`, operations, assumed)),
    totals(
      'all',
      all,
      services.reduce((sum, { assumed }) => sum + assumed, 0),
    ),
    ...services.flatMap(({ service, title, operations, removed, unsupported, own }) => [
      '',
      `## <a id="${service}"></a>${title}`,
      '',
      ...(removed === 0
        ? []
        : [
            `AWS removed ${removed} operations of ${title}. By default, they check the permission of the caller and then return \`ForbiddenException\`,`,
            'which names the other endpoints. The counts on this page do not include them. See [Chime: removed operations](#chime-legacy).',
            '',
          ]),
      ...(unsupported.length === 0
        ? []
        : [
            `This server intentionally does not have ${unsupported.length} further operations of ${title}. They return \`NotImplemented\` with status 501:`,
            `${unsupported.map((name) => `\`${name}\``).join(', ')}.`,
            'The counts on this page do not include them.',
            '',
          ]),
      ...(own === 0
        ? []
        : [
            `Belfry adds ${counted(own, 'operation')} of its own ([own-operations.md](own-operations.md)). The counts on this page do not include them.`,
            '',
          ]),
      row(['operation', 'implemented', 'tested with', 'file', 'assumed in the file']),
      row(['---', '---', '---', '---', '---:']),
      ...operations.map(({ operation, testedBy, file, assumed, ...state }) =>
        row([operation, stateOf(state), testedBy.join(', '), file === undefined ? '' : `\`${file}\``, assumed === 0 ? '' : assumed]),
      ),
    ]),
    ...(services.some(({ removed }) => removed > 0) ? legacySection(services) : []),
    '',
  ].join('\n');
}

/**
 * Returns the README with the current counts in its table of services.
 *
 * @throws Error  a service has no row
 */
function withCounts(readme: string, services: readonly ServiceParity[]): string {
  return services.reduce((text, { service, title, operations }) => {
    const start = `| [${title}](docs/parity.md#${service}) | `;
    const at = text.indexOf(start);
    if (at === -1) throw new Error(`README.md has no row for ${title} in its table of services; it starts with '${start}'`);
    const count = `${operations.filter(({ built }) => built).length} of ${operations.length}`;
    return text.slice(0, at + start.length) + count + text.slice(text.indexOf(' |', at + start.length));
  }, readme);
}

function stateOf({
  built,
  isRefused,
  stored,
  refused,
  reason,
}: Omit<OperationParity, 'operation' | 'testedBy' | 'file' | 'assumed'>): string {
  const absent = isRefused ? 'refused' : 'not yet';
  if (!built) return reason === undefined ? absent : `${absent}: ${reason}`;
  const refusal = refused === undefined ? '' : `; refused: ${listed(refused)}`;
  if (stored === undefined) return `yes${refusal}`;
  if (stored.inputs.includes('*')) return `stored, not acted on: ${stored.reason}${refusal}`;
  return `yes; stored, not acted on: ${listed(stored)}${refusal}`;
}

/** Returns inputs with their reason: `` `A`, `B` (reason) ``. */
function listed({ inputs, reason }: StoredInputs): string {
  return `${inputs.map((input) => `\`${input}\``).join(', ')} (${reason})`;
}

if (import.meta.main) {
  const services = await parity();
  const text = page(services);
  const pages = [
    [PAGE, text],
    [README, withCounts(readFileSync(README, 'utf8'), services)],
  ] as const;
  if (process.argv.includes('--check')) {
    const different = pages.filter(([path, now]) => !existsSync(path) || readFileSync(path, 'utf8') !== now);
    for (const [path] of different) console.error(`${path.slice(ROOT.length)} differs from the output of 'npm run parity'`);
    process.exitCode = different.length === 0 ? 0 : 1;
  } else {
    mkdirSync(`${ROOT}docs`, { recursive: true });
    for (const [path, now] of pages) writeFileSync(path, now);
    console.log(
      text
        .split('\n')
        .filter((line) => /^\| (?:\[|all|service)/.test(line))
        .join('\n'),
    );
  }
}
