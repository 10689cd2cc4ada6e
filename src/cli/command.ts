/** Common part of the subcommands: their description, misuse, flags and exit status. */
import { resolve } from 'node:path';
import { type Flag, FlagError, type ParsedFlags, parseFlags } from '#server/flags.ts';
import { askControl, type ControlReply, type ControlRequest } from '#server/operator/control.ts';

/** Flag of commands that read the data folder of a server. */
export const DATA: Flag = { flag: '--data', valid: 'a folder' };

/** Returns the data folder of a command: `--data`, `BELFRY_DATA` or `./data`. */
export function dataFolderOf({ values }: ParsedFlags): string {
  return resolve(values.get(DATA.flag) ?? process.env['BELFRY_DATA'] ?? './data');
}

/**
 * Sends a command to the running server of the data folder. Returns its reply.
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
  /** Description of the arguments that are not flags: `FILE …`. Absent: there are none. */
  readonly operand?: string;
  /**
   * Runs the subcommand. Resolves to the exit status.
   *
   * @throws FlagError  the arguments are invalid
   * @throws Error      it failed; the message is one line
   */
  readonly run: (args: ParsedFlags) => Promise<number> | number;
}

/**
 * Runs `belfry COMMAND …`. Resolves to the exit status: the result of the subcommand, 1 if it throws, 2 if the command is misused.
 *
 * `--help` prints the description. A misuse prints one line that names the problem, and the description.
 */
export async function runCommand(
  command: string,
  usage: string,
  subcommands: Readonly<Record<string, Subcommand>>,
  args: readonly string[],
): Promise<number> {
  if (wantsHelp(args)) {
    console.log(usage);
    return 0;
  }
  const [name, ...rest] = args;
  try {
    if (name === undefined || !Object.hasOwn(subcommands, name)) {
      const problem = name === undefined ? 'missing command' : `unknown command '${name}'`;
      throw new FlagError(`${problem} (commands: ${Object.keys(subcommands).join(', ')})`);
    }
    return await runSubcommand(subcommands[name] as Subcommand, rest);
  } catch (error) {
    return failed(command, usage, error);
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
    return failed(command, usage, error);
  }
}

async function runSubcommand({ flags, operand, run }: Subcommand, args: readonly string[]): Promise<number> {
  return await run(parseFlags(args, flags, operand));
}

function failed(command: string, usage: string, error: unknown): number {
  const isMisuse = error instanceof FlagError;
  console.error(`belfry ${command}: ${(error as Error).message}${isMisuse ? `\n\n${usage}` : ''}`);
  return isMisuse ? 2 : 1;
}

function wantsHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h') || args[0] === 'help';
}
