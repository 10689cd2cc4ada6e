/**
 * `npm run parity`: writes `docs/parity.md`: every operation of every service, whether it is built, which clients test it, and how much
 * is assumed. With `--check` it writes nothing, and fails where the page is not as it would be written.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { loadModel } from '#model/load.ts';
import { SERVICE_NAMES, type ServiceName } from '#model/model.ts';
import { isNotYet } from '#services/not-yet.ts';
import { type ClientName, calls, type TestText } from './parity/clients.ts';
import { REASONS } from './parity/reasons.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = `${ROOT}docs/parity.md`;
const CLIENTS: readonly ClientName[] = ['SDK', 'CLI', 'boto3'];

interface OperationParity {
  readonly operation: string;
  readonly built: boolean;
  /** Why it is not built, where it is meant to stay so. */
  readonly reason?: string;
  readonly testedBy: readonly ClientName[];
  /** The file that has the operation, in the service's folder. */
  readonly file?: string;
  readonly assumed: number;
}

interface ServiceParity {
  readonly service: ServiceName;
  readonly title: string;
  readonly operations: readonly OperationParity[];
  /** How many operations it had once, which are answered as removed. */
  readonly removed: number;
  /** `Assumed:` lines of the whole folder. */
  readonly assumed: number;
}

/** What there is of every service. */
export async function parity(): Promise<readonly ServiceParity[]> {
  const tests = testTexts();
  return Promise.all(SERVICE_NAMES.map((service) => serviceParity(service, tests)));
}

async function serviceParity(service: ServiceName, tests: readonly TestText[]): Promise<ServiceParity> {
  const folder = `${ROOT}src/services/${service}`;
  const sources = existsSync(folder) ? textsUnder(folder, (path) => path.endsWith('.ts') && !path.endsWith('.test.ts')) : [];
  const table = await operationTableOf(service);
  const model = loadModel(service);
  const operations = Object.keys(model.operations).map((operation) => {
    const entry = table[operation];
    const built = entry !== undefined && !isNotYet(entry);
    const reason = built ? undefined : REASONS[service]?.get(operation);
    const source = built ? sources.find(({ text }) => holds(text, operation)) : undefined;
    return {
      operation,
      built,
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
    assumed: sources.reduce((sum, { text }) => sum + assumedIn(text), 0),
  };
}

/** Returns the operation table of a service. The operations can be inspected, but not run. */
export function operationTableOf(service: ServiceName): Promise<Readonly<Record<string, object>>> {
  return tableOf(`${ROOT}src/services/${service}/operations.ts`);
}

/**
 * The table that a service's `operations.ts` exports: as `operations`, or as a function `…Operations` of what it depends on. What it
 * depends on is not needed to see which operations are there, so it gets a stand-in that has every property.
 */
async function tableOf(path: string): Promise<Readonly<Record<string, object>>> {
  if (!existsSync(path)) return {};
  const exported = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  const table =
    exported['operations'] ??
    Object.entries(exported).find(([name, value]) => name.endsWith('Operations') && typeof value === 'function')?.[1];
  if (table === undefined) throw new Error(`${path} exports neither operations nor a function …Operations`);
  return (typeof table === 'function' ? table(anything()) : table) as Readonly<Record<string, object>>;
}

function anything(): object {
  const itself: object = new Proxy(() => undefined, { get: () => itself, apply: () => itself });
  return itself;
}

/** Whether a source has an operation as a key of a table or as a constant of its name. */
function holds(text: string, operation: string): boolean {
  const constant = operation.charAt(0).toLowerCase() + operation.slice(1);
  return new RegExp(`^ *${operation}(?::|\\()|^export (?:const|function) ${constant}\\b`, 'm').test(text);
}

function assumedIn(text: string): number {
  return text.match(/\bAssumed:/g)?.length ?? 0;
}

/** Every file that a test may be in: JavaScript, TypeScript, Python and shell under `test/`, and the tests beside the sources. */
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

/** The page. */
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
      ...CLIENTS.map((client) => count(operations, client)),
      assumed,
    ]);

  return [
    '# Parity',
    '',
    'Written by `npm run parity` from the models, the operation tables and the tests. Not edited by hand.',
    '',
    'An operation that is not built is still answered: its permission is asked for, then it is refused with `NotYetImplementedException`.',
    '"Tested with" names the unmodified clients that call the operation in a test: the AWS SDK for JavaScript v3, the AWS CLI, boto3.',
    '"Assumed" counts the places in the sources where nobody says what AWS does and something was chosen (`grep -rn "Assumed:" src`).',
    '',
    row(['service', 'operations', 'built', ...CLIENTS.map((client) => `tested with ${client}`), 'assumed']),
    row(['---', ...Array.from({ length: CLIENTS.length + 3 }, () => '---:')]),
    ...services.map(({ service, title, operations, assumed }) => totals(`[${title}](#${service})`, operations, assumed)),
    totals(
      'all',
      all,
      services.reduce((sum, { assumed }) => sum + assumed, 0),
    ),
    ...services.flatMap(({ service, title, operations, removed }) => [
      '',
      `## <a id="${service}"></a>${title}`,
      '',
      ...(removed === 0
        ? []
        : [
            `The ${removed} operations that ${title} had once are answered as removed: permission is asked for, then \`ForbiddenException\` points to`,
            'the other endpoints. They are in no count on this page.',
            '',
          ]),
      row(['operation', 'built', 'tested with', 'in', 'assumed in that file']),
      row(['---', '---', '---', '---', '---:']),
      ...operations.map(({ operation, built, reason, testedBy, file, assumed }) =>
        row([
          operation,
          built ? 'yes' : reason === undefined ? 'not yet' : `not yet: ${reason}`,
          testedBy.join(', '),
          file === undefined ? '' : `\`${file}\``,
          assumed === 0 ? '' : assumed,
        ]),
      ),
    ]),
    '',
  ].join('\n');
}

if (import.meta.main) {
  const text = page(await parity());
  if (process.argv.includes('--check')) {
    const same = existsSync(PAGE) && readFileSync(PAGE, 'utf8') === text;
    if (!same) console.error('docs/parity.md is not as `npm run parity` writes it.');
    process.exitCode = same ? 0 : 1;
  } else {
    mkdirSync(`${ROOT}docs`, { recursive: true });
    writeFileSync(PAGE, text);
    console.log(
      text
        .split('\n')
        .filter((line) => /^\| (?:\[|all|service)/.test(line))
        .join('\n'),
    );
  }
}
