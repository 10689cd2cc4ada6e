/** `belfry compliance …`: evidence for an audit. */
import { runCommand, type Subcommand } from './command.ts';
import { CHECK, CHECK_USAGE } from './compliance-check.ts';

const USAGE = `${CHECK_USAGE}
`;

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = { check: CHECK };

/** Runs `belfry compliance …`. Resolves to the exit status. */
export function complianceCommand(args: readonly string[]): Promise<number> {
  return runCommand('compliance', USAGE, SUBCOMMANDS, args);
}
