/**
 * `npm run own-operations`: writes `docs/own-operations.md`, which describes the operations that this project adds to a service of AWS. With
 * `--check`, it writes nothing and fails if the page differs.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { actionOf } from '#model/authorization.ts';
import { loadModel } from '#model/load.ts';
import type { Member, OperationModel, ServiceModel, Shape } from '#model/model.ts';
import { actionName, SERVICE_NAMES, type ServiceName, serviceRow } from '#model/services.ts';
import { isNotYet } from '#services/kit/not-yet.ts';
import { type Documented, type OwnFile, readOwn } from './generate/own.ts';
import { REASONS } from './parity/reasons.ts';
import { operationTableOf } from './parity.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = `${ROOT}docs/own-operations.md`;

/** Returns the text of `docs/own-operations.md`. */
export async function page(): Promise<string> {
  const sections = await Promise.all(SERVICE_NAMES.map(serviceSection));
  return [
    '# Own operations',
    '',
    '`npm run own-operations` generates this page from `models/*.own.json`. Do not edit it.',
    '',
    'All are `POST` with a JSON body to the endpoint of their service. The permission is the action of the same name on `*`.',
    'Each call is recorded in the trail. An operation that is not implemented checks the permission and returns `NotYetImplementedException`.',
    ...sections.flat(),
    '',
  ].join('\n');
}

/** How operators call own operations, by service. */
const COMMANDS: Partial<Readonly<Record<ServiceName, string>>> = {
  chime:
    '`belfry chime NAME --member VALUE …` calls an operation: its name and its members are in kebab-case, such as `belfry chime add-domain --account-id ID --domain-name example.com`.',
  accessanalyzer:
    '`belfry explain REQUEST_ID` calls ExplainDecision. `belfry compliance check --endpoint URL` calls ListConfigurationRules and ListConfigurationRuleResults.',
};

async function serviceSection(service: ServiceName): Promise<readonly string[]> {
  const model = loadModel(service);
  const own = readOwn(`${ROOT}models`, `${service}-${model.apiVersion}.json`);
  if (own === undefined) return [];
  const { title, signingName } = serviceRow(service);
  const table = await operationTableOf(service);
  const operations = Object.values(model.operations).filter((operation) => operation.own === true);
  const built = (name: string): boolean => table[name] !== undefined && !isNotYet(table[name]);
  return [
    '',
    `## ${title}`,
    '',
    own.documentation,
    '',
    `Requests are signed for the service \`${signingName}\`. ${COMMANDS[service] ?? ''}`.trim(),
    '',
    `${operations.filter(({ name }) => built(name)).length} of ${operations.length} are implemented.`,
    '',
    '| operation | path | action | access | implemented |',
    '| --- | --- | --- | --- | --- |',
    ...operations.map((operation) => overview(service, operation, built(operation.name))),
    ...operations.flatMap((operation) => operationSection(own, model, operation)),
    '',
    `### Types of ${title}`,
    ...Object.keys(own.shapes)
      .filter((name) => !isOperand(name) && model.shapes[name]?.type === 'structure')
      .flatMap((name) => ['', `#### ${name}`, '', sentence(own.shapes[name]), '', ...memberTable(own, model, name, true)]),
  ];
}

const isOperand = (name: string): boolean => /(?:Request|Response)$/.test(name);
const sentence = (part: Documented | undefined): string => part?.documentation ?? '';

function overview(service: ServiceName, { name, http }: OperationModel, built: boolean): string {
  const action = actionName(service, name);
  const level = actionOf(...(action.split(':') as [string, string]))?.accessLevel ?? '';
  const reason = REASONS[service]?.get(name);
  const state = built ? 'yes' : reason === undefined ? 'not yet' : `not yet: ${reason}`;
  return `| [${name}](#${name.toLowerCase()}) | \`${http.uri}\` | \`${action}\` | ${level} | ${state} |`;
}

function operationSection(own: OwnFile, model: ServiceModel, { name, input, output, errors }: OperationModel): readonly string[] {
  return [
    '',
    `### ${name}`,
    '',
    sentence(own.operations[name]),
    ...part('Input', memberTable(own, model, input as string, true)),
    ...part('Output', memberTable(own, model, output as string, false)),
    '',
    `Errors: ${errors.map((error) => `\`${error}\``).join(', ')}.`,
  ];
}

function part(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? ['', `${title}: none.`] : ['', `${title}:`, '', ...lines];
}

function memberTable(own: OwnFile, model: ServiceModel, name: string, isInput: boolean): readonly string[] {
  const shape = model.shapes[name] as Shape;
  const members = Object.entries(shape.members ?? {});
  if (members.length === 0) return [];
  const documented = own.shapes[name]?.['members'] as Readonly<Record<string, Documented>> | undefined;
  return [
    '| member | type | description |',
    '| --- | --- | --- |',
    ...members.map(([member, use]) => {
      const isRequired = isInput && shape.required?.includes(member);
      const text = [sentence(documented?.[member]), sentence(own.shapes[use.shape])].filter(
        (each, i, all) => each !== '' && each !== all[i - 1],
      );
      return `| \`${member}\`${isRequired ? ' (required)' : ''} | ${typeOf(own, model, use)} | ${text.join(' ')} |`;
    }),
  ];
}

/** Returns the type of a member with its limits: `string, 1 to 100 characters`. */
function typeOf(own: OwnFile, model: ServiceModel, { shape: name }: Member): string {
  const shape = model.shapes[name] as Shape;
  switch (shape.type) {
    case 'structure':
      return own.shapes[name] !== undefined ? `[${name}](#${name.toLowerCase()})` : name;
    case 'list':
      return `list${limits(shape, 'elements')} of ${typeOf(own, model, shape.member as Member)}`;
    case 'timestamp':
      return 'time (ISO 8601)';
    case 'integer':
      return `integer${limits(shape, '')}`;
    default:
      if (shape.enum !== undefined) return shape.enum.map((value) => `\`${value}\``).join(', ');
      return `${shape.type}${limits(shape, 'characters')}${shape.sensitive === true ? ', hidden in trail records' : ''}`;
  }
}

function limits({ min, max }: Shape, unit: string): string {
  if (min === undefined && max === undefined) return '';
  const range = max === undefined ? `at least ${min}` : min === max ? `${max}` : `${min ?? 0} to ${max}`;
  return `, ${range}${unit === '' ? '' : ` ${unit}`}`;
}

if (import.meta.main) {
  const text = await page();
  if (!process.argv.includes('--check')) writeFileSync(PAGE, text);
  else if (!existsSync(PAGE) || readFileSync(PAGE, 'utf8') !== text) {
    console.error("docs/own-operations.md differs from the output of 'npm run own-operations'");
    process.exitCode = 1;
  }
}
