/** Code that all commands share: help, errors for wrong arguments, flags and exit status. */
import { resolve } from 'node:path';
import { type Flag, FlagError, type ParsedFlags, parseFlags } from '#server/flags.ts';
import { askControl, type ControlReply, type ControlRequest } from '#server/operator/ask-control.ts';

/** Flag of commands that read the data folder of a server. */
export const DATA: Flag = { flag: '--data', valid: 'a folder' };

/** Returns the data folder of a command: `--data`, `BELFRY_DATA` or `./data`. */
export function dataFolderOf({ values }: ParsedFlags): string {
  return resolve(values.get(DATA.flag) ?? process.env['BELFRY_DATA'] ?? './data');
}

/** Flag of commands that read a database without its server. */
export const DATABASE: Flag = { flag: '--database', valid: 'file:FOLDER or postgres://…' };

/** Returns the database of such a command: `--database`, `BELFRY_DATABASE` or SQLite in the data folder. */
export function databaseOf(parsed: ParsedFlags): string {
  return parsed.values.get(DATABASE.flag) ?? process.env['BELFRY_DATABASE'] ?? `file:${dataFolderOf(parsed)}`;
}

/**
 * Sends a command to the running server of the data folder. Returns the server's reply.
 *
 * @throws Error  no server is running, or the command failed
 */
export async function commandServer(parsed: ParsedFlags, request: ControlRequest): Promise<Extract<ControlReply, { readonly ok: true }>> {
  const reply = await askControl(dataFolderOf(parsed), request);
  if (!reply.ok) throw new Error(reply.error);
  return reply;
}

/** One subcommand, such as `account create`. */
export interface Subcommand {
  readonly flags: readonly Flag[];
  /** Description of the arguments that are not flags: `FILE …`. Absent if the subcommand has no such arguments. */
  readonly operand?: string;
  /** Description that `--help` after the name prints. Absent if the description of the whole command has everything. */
  readonly usage?: string;
  /**
   * Runs the subcommand. Resolves to the exit status.
   *
   * @throws FlagError  the arguments are invalid
   * @throws Error      the subcommand failed; the message is one line
   */
  readonly run: (args: ParsedFlags) => Promise<number> | number;
}

/**
 * Runs `belfry COMMAND …`. Resolves to the exit status: the result of the subcommand, 1 if it throws, 2 if an argument
 * is wrong.
 *
 * `--help` prints the description of the command, or of the subcommand if it has its own. A wrong argument prints one line that names the problem, and one that names `--help`.
 */
export async function runCommand(
  command: string,
  usage: string,
  subcommands: Readonly<Record<string, Subcommand>>,
  args: readonly string[],
): Promise<number> {
  const [name, ...rest] = args;
  const subcommand = name !== undefined && Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (wantsHelp(args)) {
    console.log(subcommand?.usage ?? usage);
    return 0;
  }
  try {
    if (subcommand === undefined) {
      const problem = name === undefined || name.startsWith('-') ? 'missing command' : `unknown command '${name}'`;
      throw new FlagError(`${problem} (commands: ${Object.keys(subcommands).join(', ')})`);
    }
    return await runSubcommand(subcommand, rest);
  } catch (error) {
    return failed(command, error, subcommand?.usage === undefined ? command : `${command} ${name}`);
  }
}

/** Runs a command without subcommands, such as `belfry backup`. */
export async function runSingleCommand(command: string, usage: string, only: Subcommand, args: readonly string[]): Promise<number> {
  if (wantsHelp(args)) {
    console.log(usage);
    return 0;
  }
  try {
    return await runSubcommand(only, args);
  } catch (error) {
    return failed(command, error);
  }
}

async function runSubcommand({ flags, operand, run }: Subcommand, args: readonly string[]): Promise<number> {
  return await run(parseFlags(args, flags, operand));
}

function failed(command: string, error: unknown, described = command): number {
  const isMisuse = error instanceof FlagError;
  console.error(`belfry ${command}: ${(error as Error).message}`);
  if (isMisuse) console.error(`belfry ${command}: 'belfry ${described} --help' describes the command`);
  return isMisuse ? 2 : 1;
}

function wantsHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h') || args[0] === 'help';
}
