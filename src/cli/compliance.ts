/** `belfry compliance …`: evidence for an audit. The commands read the database of a server, which may run. */
import { runCommand, type Subcommand } from './command.ts';
import { REPORT, REPORT_USAGE } from './compliance-report.ts';

const USAGE = `${REPORT_USAGE}
`;

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = { report: REPORT };

/** Runs `belfry compliance …`. Resolves to the exit status. */
export function complianceCommand(args: readonly string[]): Promise<number> {
  return runCommand('compliance', USAGE, SUBCOMMANDS, args);
}
