/** `belfry compliance …`: evidence for an audit. */
import { runCommand, type Subcommand } from './command.ts';
import { CHECK, CHECK_USAGE } from './compliance-check.ts';
import { REPORT, REPORT_USAGE } from './compliance-report.ts';

const USAGE = `${CHECK_USAGE}

${REPORT_USAGE}
`;

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = { check: CHECK, report: REPORT };

/** Runs `belfry compliance …`. Resolves to the exit status. */
export function complianceCommand(args: readonly string[]): Promise<number> {
  return runCommand('compliance', USAGE, SUBCOMMANDS, args);
}
