import { parseArgs } from 'node:util';

/**
 * An unknown, incomplete or missing flag. The message names the flag, and lists valid flags or describes valid values.
 */
export class FlagError extends Error {}

/** A flag of a command. */
export interface Flag {
  /** Name with dashes, such as `--account-id`. */
  readonly flag: string;
  /** Description of valid values, such as `a folder`. Absent for a flag without a value. */
  readonly valid?: string;
}

export interface ParsedFlags {
  /** Value of each flag that is set, by its name with dashes. A flag without a value has the value `on`. */
  readonly values: ReadonlyMap<string, string>;
  readonly positionals: readonly string[];
}

/**
 * Parses the arguments of a command: flags as `--flag VALUE` or `--flag=VALUE`, and other arguments if `operand`
 * describes them.
 *
 * @throws FlagError a flag is unknown, lacks its value or has a value although it takes none, or an argument is
 *   unexpected
 */
export function parseFlags(args: readonly string[], flags: readonly Flag[], operand?: string): ParsedFlags {
  const types = flags.map(({ flag, valid }) => [flag.slice(2), { type: valid === undefined ? ('boolean' as const) : ('string' as const) }]);
  const parsed = parse(args, Object.fromEntries(types), flags, operand);
  const values = Object.entries(parsed.values).map(([name, value]): [string, string] => [
    `--${name}`,
    typeof value === 'string' ? value : 'on',
  ]);
  return { values: new Map(values), positionals: parsed.positionals };
}

function parse(
  args: readonly string[],
  options: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>,
  flags: readonly Flag[],
  operand: string | undefined,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: operand !== undefined });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const [, argument = ''] = /'(-{0,2}[^\s'=]*)/.exec(message) ?? [];
    const known = `flags: ${flags.map(({ flag }) => flag).join(', ') || 'none'}`;
    switch (code) {
      case 'ERR_PARSE_ARGS_UNKNOWN_OPTION':
        throw new FlagError(`unknown flag '${argument}' (${known})`);
      case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE': {
        const valid = flags.find(({ flag }) => flag === argument)?.valid;
        throw new FlagError(valid === undefined ? `${argument} does not take a value` : `${argument} requires a value: ${valid}`);
      }
      case 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL':
        throw new FlagError(`unexpected argument '${argument}' (${known})`);
      default:
        throw error;
    }
  }
}

/**
 * Returns the value of a flag that a command requires.
 *
 * @throws FlagError  the flag is missing
 */
export function requireFlag(values: ParsedFlags['values'], { flag, valid }: Flag): string {
  const value = values.get(flag);
  if (value === undefined) throw new FlagError(`missing ${flag}${valid === undefined ? '' : `: ${valid}`}`);
  return value;
}
