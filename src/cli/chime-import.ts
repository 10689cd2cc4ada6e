/** `belfry chime import`: users and rooms from a file. */
import { readFileSync, statSync } from 'node:fs';
import { type Flag, FlagError, type ParsedFlags } from '#server/flags.ts';
import type { ChimeImportLines, ChimeImportReport } from '#server/operator/chime-import.ts';
import { type ChimeImportKind, type ChimeImportRow, LINES_AT_ONCE, ROOM_COLUMNS, USER_COLUMNS } from '#services/chime-kit/chime-import.ts';
import { commandServer, DATA, type Subcommand } from './command.ts';
import { type FileProblem, readLines } from './csv-file.ts';

const ACCOUNT: Flag = { flag: '--account-id', valid: 'the ID of an account of Amazon Chime' };
const APPLY: Flag = { flag: '--apply' };

/** Largest file in bytes, and most lines. */
const FILE_MAX_BYTES = 33_554_432;
const LINES_MAX = 100_000;
/** Most characters of a field, and most bytes of the lines of one command. A command has at most 64 KiB. */
const FIELD_MAX = 1_000;
const COMMAND_MAX_BYTES = 49_152;

export const CHIME_IMPORT: Subcommand = {
  flags: [ACCOUNT, APPLY, DATA],
  operand: 'FILE',
  run: importFile,
};

type Line = ChimeImportLines['rows'][number];

/** Lines of a file. `item` is what the report calls a line. */
interface ImportFile {
  readonly kind: ChimeImportKind;
  readonly item: 'line' | 'user';
  readonly lines: readonly Line[];
  readonly problems: readonly FileProblem[];
}

async function importFile(parsed: ParsedFlags): Promise<number> {
  const [file, ...others] = parsed.positionals;
  if (file === undefined || others.length > 0) throw new FlagError('the argument must be FILE');
  const chimeAccountId = parsed.values.get(ACCOUNT.flag);
  if (chimeAccountId === undefined) throw new FlagError(`missing ${ACCOUNT.flag}: ${ACCOUNT.valid}`);
  const isPreview = !parsed.values.has(APPLY.flag);
  if (statSync(file).size > FILE_MAX_BYTES) throw new Error(`'${file}' has more than ${FILE_MAX_BYTES} bytes`);
  const read = readImport(readFileSync(file, 'utf8'));
  const { kind, item } = read;
  if (read.lines.length > LINES_MAX) throw new Error(`'${file}' has more than ${LINES_MAX} lines; split it`);
  const [lines, refused] = withoutUnfit(read);
  const total = { added: 0, unchanged: 0, skipped: 0 };
  const problems: FileProblem[] = [...read.problems, ...refused];
  const report = () => {
    for (const { line, problem } of problems.toSorted((a, b) => a.line - b.line))
      console.error(`belfry chime: ${item} ${line}: ${problem}`);
    const counts = `${total.added} added, ${total.unchanged} unchanged, ${total.skipped} skipped, ${problems.length} with errors`;
    console.log(`belfry chime: ${isPreview ? 'preview: ' : ''}${counts}`);
  };
  for (const rows of batchesOf(lines)) {
    let reply: { readonly chimeImported?: ChimeImportReport };
    try {
      reply = await commandServer(parsed, { command: 'chime import', chimeAccountId, kind, rows, isPreview });
    } catch (error) {
      if (total.added + total.unchanged + problems.length > 0) report();
      throw new Error(`stopped before ${item} ${rows[0]?.line}: ${(error as Error).message}; import the file again to continue`);
    }
    const { chimeImported } = reply;
    if (chimeImported === undefined) throw new Error('the server did not report the import');
    for (const name of ['added', 'unchanged', 'skipped'] as const) total[name] += chimeImported[name];
    problems.push(...chimeImported.problems);
  }
  report();
  if (isPreview) console.log(`belfry chime: nothing was changed; add ${APPLY.flag} to import`);
  return problems.length === 0 ? 0 : 1;
}

/** @throws Error  the file is neither the output of `aws chime list-users` nor a CSV file with known columns */
function readImport(text: string): ImportFile {
  if (/^\ufeff?\s*[{[]/.test(text)) return { kind: 'users', item: 'user', lines: listedUsers(text), problems: [] };
  const header = /^\ufeff?\s*([^\r\n]*)/.exec(text)?.[1] ?? '';
  const isRooms = header.split(',').some((column) => column.trim() === 'room');
  const { rows, problems } = isRooms ? readLines(text, ROOM_COLUMNS, ['room']) : readLines(text, USER_COLUMNS, ['email']);
  return { kind: isRooms ? 'rooms' : 'users', item: 'line', lines: rows, problems };
}

/** Members of a user that are imported. Their PINs are not in the output of ListUsers. */
const MEMBERS = {
  PrimaryEmail: 'email',
  DisplayName: 'display_name',
  LicenseType: 'license',
  UserType: 'user_type',
  UserId: 'user_id',
  UserRegistrationStatus: 'status',
} as const satisfies Readonly<Record<string, keyof ChimeImportRow>>;

/** Reads the output of `aws chime list-users`. Lines are numbered by user. */
function listedUsers(text: string): readonly Line[] {
  let parsed: { readonly Users?: unknown };
  try {
    parsed = JSON.parse(text.replace(/^\ufeff/, '')) as typeof parsed;
  } catch {
    throw new Error('the file is not valid JSON');
  }
  const { Users } = parsed;
  if (!Array.isArray(Users)) throw new Error("the JSON has no list 'Users', as 'aws chime list-users' prints it");
  return Users.map((user: Readonly<Record<string, unknown>> | null, i) => ({
    line: i + 1,
    fields: Object.fromEntries(
      Object.entries(MEMBERS).flatMap(([member, column]) => {
        const value = user?.[member];
        return typeof value === 'string' ? [[column, value]] : [];
      }),
    ),
  }));
}

/** Separates lines whose fields are too long, or that repeat an earlier line of users. */
function withoutUnfit({ kind, item, lines }: ImportFile): readonly [readonly Line[], readonly FileProblem[]] {
  const seen = new Map<string, number>();
  const problems: FileProblem[] = [];
  const fit = lines.filter(({ line, fields }) => {
    const long = Object.entries(fields).find(([, field]) => field.length > FIELD_MAX)?.[0];
    const key = kind === 'users' ? (fields.email ?? '').toLowerCase() : '';
    const earlier = key === '' ? undefined : seen.get(key);
    if (long !== undefined) problems.push({ line, problem: `'${long}' is longer than ${FIELD_MAX} characters` });
    else if (earlier !== undefined) problems.push({ line, problem: `the email is in ${item} ${earlier}` });
    else {
      seen.set(key, line);
      return true;
    }
    return false;
  });
  return [fit, problems];
}

function batchesOf(lines: readonly Line[]): readonly (readonly Line[])[] {
  const batches: Line[][] = [];
  let bytes = 0;
  for (const line of lines) {
    const size = Buffer.byteLength(JSON.stringify(line)) + 1;
    const last = batches.at(-1);
    if (last === undefined || last.length === LINES_AT_ONCE || bytes + size > COMMAND_MAX_BYTES) {
      batches.push([line]);
      bytes = size;
    } else {
      last.push(line);
      bytes += size;
    }
  }
  return batches;
}
