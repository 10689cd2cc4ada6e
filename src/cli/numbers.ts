/** `belfry numbers …`: the inventory of phone numbers that AWS accounts order. */
import { readFileSync } from 'node:fs';
import { type Flag, FlagError, type ParsedFlags } from '#server/flags.ts';
import type { ImportReport, NumberedRow } from '#server/operator/numbers.ts';
import { IMPORT_COLUMNS, NUMBERS_AT_ONCE } from '#services/chime-kit/inventory-columns.ts';
import { commandServer, DATA, runCommand, type Subcommand } from './command.ts';
import { readRows } from './csv-file.ts';
import { listPrinter } from './list.ts';

const PREVIEW: Flag = { flag: '--preview' };
const REQUIRED = IMPORT_COLUMNS.slice(0, 4);

const USAGE = `belfry numbers import FILE.csv [--preview]   add phone numbers to the inventory, or change free ones
belfry numbers list                          print the inventory
belfry numbers remove NUMBER …               remove free numbers

  --preview       check the file, and change nothing
  --data FOLDER   the data folder of the running server (default: BELFRY_DATA, or ./data)

The first line of the file names the columns: ${REQUIRED.join(', ')} and optionally ${IMPORT_COLUMNS.slice(4).join(', ')}.
Products and capabilities are lists with spaces. A line without capabilities has all. Example:

  number,country,type,products,state,city
  +12065550100,US,Local,BusinessCalling VoiceConnector,WA,Seattle

Lines with an error are printed and not imported, and the exit status is 1. The same file can be imported again.
`;

/** Runs `belfry numbers …`. Resolves to the exit status. */
export function numbersCommand(args: readonly string[]): Promise<number> {
  return runCommand('numbers', USAGE, SUBCOMMANDS, args);
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  import: { flags: [PREVIEW, DATA], operand: 'FILE', run: importFile },
  list: {
    flags: [DATA],
    async run(parsed) {
      const print = listPrinter('NUMBER', 'COUNTRY', 'TYPE', 'PRODUCTS', 'PLACE', 'STATE');
      for (let after: string | undefined; ; ) {
        const { numbers = [] } = await commandServer(parsed, { command: 'numbers list', ...(after !== undefined && { after }) });
        print(
          numbers.map(({ number, country, type, products, place, isFree }) => [
            ...[number, country, type, products.join(' '), place.join(' ')],
            isFree ? 'free' : 'in use',
          ]),
        );
        after = numbers.at(-1)?.number;
        if (numbers.length < NUMBERS_AT_ONCE) return 0;
      }
    },
  },
  remove: {
    flags: [DATA],
    operand: 'NUMBER …',
    async run(parsed) {
      const { positionals } = parsed;
      if (positionals.length === 0) throw new FlagError('missing NUMBER: a phone number such as +12065550100');
      const problems: string[] = [];
      for (const numbers of batchesOf(positionals)) {
        const { problems: found = [] } = await commandServer(parsed, { command: 'numbers remove', numbers });
        problems.push(...found);
      }
      for (const problem of problems) console.error(`belfry numbers: ${problem}`);
      console.log(`belfry numbers: ${positionals.length - problems.length} removed`);
      return problems.length === 0 ? 0 : 1;
    },
  },
};

async function importFile(parsed: ParsedFlags): Promise<number> {
  const [file, ...others] = parsed.positionals;
  if (file === undefined || others.length > 0) throw new FlagError('the argument must be FILE');
  const isPreview = parsed.values.has(PREVIEW.flag);
  const total = { added: 0, changed: 0, unchanged: 0 };
  const problems: ImportReport['problems'][number][] = [];
  const [rows, repeated] = withoutRepeated(readRows(readFileSync(file, 'utf8'), IMPORT_COLUMNS, REQUIRED));
  problems.push(...repeated);
  for (const batch of batchesOf(rows)) {
    const { imported } = await commandServer(parsed, { command: 'numbers import', rows: batch, isPreview });
    if (imported === undefined) throw new Error('the server did not report the import');
    for (const name of ['added', 'changed', 'unchanged'] as const) total[name] += imported[name];
    problems.push(...imported.problems);
  }
  for (const { line, problem } of problems.toSorted((a, b) => a.line - b.line)) console.error(`belfry numbers: line ${line}: ${problem}`);
  const { added, changed, unchanged } = total;
  const counts = `${added} added, ${changed} changed, ${unchanged} unchanged, ${problems.length} with errors`;
  console.log(`belfry numbers: ${isPreview ? 'preview: ' : ''}${counts}`);
  return problems.length === 0 ? 0 : 1;
}

/** Separates lines whose number is in an earlier line. */
function withoutRepeated(rows: readonly NumberedRow[]): readonly [readonly NumberedRow[], ImportReport['problems']] {
  const first = new Map<string, number>();
  for (const { line, fields } of rows) if (!first.has(fields.number ?? '')) first.set(fields.number ?? '', line);
  const isFirst = ({ line, fields }: NumberedRow) => first.get(fields.number ?? '') === line;
  const repeated = rows.filter((row) => !isFirst(row));
  return [rows.filter(isFirst), repeated.map(({ line }) => ({ line, problem: 'the number is in an earlier line' }))];
}

function batchesOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / NUMBERS_AT_ONCE) }, (_, i) =>
    items.slice(i * NUMBERS_AT_ONCE, (i + 1) * NUMBERS_AT_ONCE),
  );
}
