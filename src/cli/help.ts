/** Reports whether the arguments of a subcommand ask for its description. */
export function wantsHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h') || args[0] === 'help';
}

/** Returns the line that precedes the usage of a misused subcommand, or an empty string if there is no subcommand. `rules` has the broken rule by subcommand. */
export function misuse(command: string, subcommand: string | undefined, rules: Readonly<Record<string, string>>): string {
  if (subcommand === undefined) return '';
  const rule = rules[subcommand];
  const problem = rule === undefined ? `unknown command '${subcommand}'` : `'${subcommand}' ${rule}`;
  return `belfry ${command}: ${problem}\n\n`;
}
