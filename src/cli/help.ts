/** Reports whether the arguments of a subcommand ask for its description. */
export function wantsHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h') || args[0] === 'help';
}
