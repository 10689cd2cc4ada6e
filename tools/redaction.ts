/**
 * `npm run redaction`: writes `docs/redaction.md`, which lists for each operation the members of its request and response that trail records
 * hide or omit. With `--check`, it writes nothing and fails if the page differs. So a change of a model or of a rule shows in a review.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadLegacyModel, loadModel } from '#model/load.ts';
import type { OperationModel, ServiceModel } from '#model/model.ts';
import { SERVICE_NAMES } from '#model/services.ts';
import { recordsResponse } from '#trail/record.ts';
import { redactedMembers, type Treatment } from '#trail/redact.ts';
import { serviceForm } from '#trail/service-forms.ts';

const PAGE = fileURLToPath(new URL('../docs/redaction.md', import.meta.url));
/** Largest width of a line that lists operations, in characters. */
const WIDTH = 140;

/** Returns the text of `docs/redaction.md`. */
export function page(models: readonly ServiceModel[] = SERVICE_NAMES.map(loadModel)): string {
  return [
    '# Redaction',
    '',
    '`npm run redaction` generates this page from the models and `src/model/secret-members.ts`. Do not edit it.',
    '',
    'The table of a service lists the members of `requestParameters` and `responseElements` that a trail record does not contain as they are.',
    'A *hidden* member has a constant in place of its value. An *omitted* member is absent: binary data, and secrets of services that AWS',
    'records without a constant. In a path, `[]` stands for each element of a list, `{}` for each value of a map, and `{key}` for its keys.',
    'Records of read-only operations have no `responseElements`, which the table shows as "none".',
    'A failed request is recorded with the same `requestParameters`, and without `responseElements`.',
    ...models.flatMap((model) => serviceSection(model)),
    ...serviceSection(loadLegacyModel(), 'Chime: removed operations, with `BELFRY_LEGACY_CHIME=on`'),
    '',
  ].join('\n');
}

function serviceSection(model: ServiceModel, title: string = model.serviceId): readonly string[] {
  const { hidden } = serviceForm(model.service);
  const rows: string[] = [];
  const shown: string[] = [];
  for (const operation of [...Object.values(model.operations), ...Object.values(model.removed)]) {
    const request = cells(model, operation.input);
    const response = responseCells(model, operation);
    const cell = [...request, ...response];
    if (cell.every((each) => each === '' || each === 'none')) shown.push(operation.name);
    else rows.push(`| ${[operation.name, ...cell].join(' | ')} |`);
  }
  const table = [
    '| operation | request, hidden | request, omitted | response, hidden | response, omitted |',
    '| --- | --- | --- | --- | --- |',
  ];
  return [
    '',
    `## ${title}`,
    '',
    hidden === undefined ? 'Records have no constant: secrets are omitted.' : `Constant: \`${hidden}\`.`,
    ...(rows.length === 0 ? [] : ['', ...table, ...rows]),
    ...(shown.length === 0 ? [] : ['', ...wrapped('Nothing is hidden or omitted for', shown)]),
  ];
}

function responseCells(model: ServiceModel, operation: OperationModel): readonly [hidden: string, omitted: string] {
  return recordsResponse(model.service, operation) ? cells(model, operation.output) : ['none', 'none'];
}

function cells(model: ServiceModel, shape: string | undefined): readonly [hidden: string, omitted: string] {
  const members = shape === undefined ? [] : [...redactedMembers(model, shape)];
  const list = (wanted: Treatment) =>
    members
      .filter(([, treatment]) => treatment === wanted)
      .map(([path]) => `\`${path}\``)
      .join(', ');
  return [list('hidden'), list('omitted')];
}

/** Returns a sentence that ends with a list of names, in lines of limited width. */
function wrapped(start: string, names: readonly string[]): readonly string[] {
  const lines = [start];
  for (const [i, name] of names.entries()) {
    const word = `${name}${i === names.length - 1 ? '.' : ','}`;
    const last = lines.at(-1) as string;
    if (last.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

if (import.meta.main) {
  const text = page();
  if (!process.argv.includes('--check')) writeFileSync(PAGE, text);
  else if (!existsSync(PAGE) || readFileSync(PAGE, 'utf8') !== text) {
    console.error("docs/redaction.md differs from the output of 'npm run redaction'");
    process.exitCode = 1;
  }
}
