/** `belfry compliance check`: evaluates the configuration rules, on a database or through a running server. */
import { type AccountId, isAccountId } from '#core/arn.ts';
import { counted } from '#core/counted.ts';
import { isoSeconds } from '#core/instant.ts';
import { type Flag, FlagError, type ParsedFlags } from '#server/flags.ts';
import { DATA, DATABASE, type Subcommand } from './command.ts';
import { type CheckedAccount, type CheckedRule, checkDatabase, checkEndpoint } from './compliance-accounts.ts';
import { ENDPOINT, PROFILE } from './own-call.ts';
import { printable } from './printable.ts';

/** Lines of `belfry compliance --help` for this command. */
export const CHECK_USAGE = `belfry compliance check                           evaluate the configuration rules, which docs/compliance.md lists

  --account ID      only this account (default: all accounts of the database)
  --rule NAME       only this rule
  --region REGION   the region whose trails are checked (default: BELFRY_REGION, or us-east-1)
  --format FORMAT   text (default), or json with the evidence of each result
  --data FOLDER     the data folder of the server, which may run (default: BELFRY_DATA, or ./data)
  --database URL    the database, if it is not in the data folder (default: BELFRY_DATABASE)
  --endpoint URL    call this server instead of reading a database. The account is that of the caller. The permissions are
                    access-analyzer:ListConfigurationRules and access-analyzer:ListConfigurationRuleResults
  --profile NAME    the same, with the credentials and the endpoint of a profile of the AWS CLI
  The rules about the server read its BELFRY_… variables: run the command on a database with the environment of the server.
  The exit status is 1 if an account does not comply with a rule.`;

/** Flag of the commands that are about one account or all. */
export const ACCOUNT: Flag = { flag: '--account', valid: 'the ID of an account' };
const RULE: Flag = { flag: '--rule', valid: 'the name of a rule' };
const REGION: Flag = { flag: '--region', valid: 'the name of a region' };
const FORMAT: Flag = { flag: '--format', valid: 'text or json' };

export const CHECK: Subcommand = {
  flags: [ACCOUNT, RULE, REGION, FORMAT, DATA, DATABASE, ENDPOINT, PROFILE],
  async run(parsed) {
    const { values } = parsed;
    const format = values.get(FORMAT.flag) ?? 'text';
    if (format !== 'text' && format !== 'json') throw new FlagError(`${FORMAT.flag} is '${format}'; it must be ${FORMAT.valid}`);
    const accountId = accountOf(parsed);
    const isRemote = values.has(ENDPOINT.flag) || values.has(PROFILE.flag);
    if (isRemote && [ACCOUNT, DATA, DATABASE].some(({ flag }) => values.has(flag)))
      throw new FlagError(`${ENDPOINT.flag} and ${PROFILE.flag} exclude ${ACCOUNT.flag}, ${DATA.flag} and ${DATABASE.flag}`);
    const selection = { accountId, rule: values.get(RULE.flag), region: values.get(REGION.flag) };
    const checked = isRemote ? [await checkEndpoint(parsed, selection)] : await checkDatabase(parsed, selection);
    if (format === 'json') console.log(JSON.stringify({ accounts: checked.map(withTime) }, null, 2));
    else for (const account of checked) for (const line of linesOf(account)) console.log(printable(line));
    return checked.some(({ rules }) => rules.some(({ compliance }) => compliance === 'NON_COMPLIANT')) ? 1 : 0;
  },
};

/** Returns an account as programs read it, with the time in the format of the API. */
function withTime({ evaluatedAt, ...account }: CheckedAccount): object {
  return { ...account, evaluatedAt: isoSeconds(evaluatedAt) };
}

/** Returns the account of `ACCOUNT`. @throws FlagError  it is not the ID of an account */
export function accountOf({ values }: ParsedFlags): AccountId | undefined {
  const accountId = values.get(ACCOUNT.flag);
  if (accountId === undefined || isAccountId(accountId)) return accountId;
  throw new FlagError(`${ACCOUNT.flag} must be ${ACCOUNT.valid}`);
}

function* linesOf({ accountId, region, evaluatedAt, rules }: CheckedAccount): Iterable<string> {
  yield `account ${accountId}, region ${region}, ${isoSeconds(evaluatedAt)}`;
  for (const rule of rules) yield* ruleLines(rule);
  const violated = rules.filter(({ compliance }) => compliance === 'NON_COMPLIANT').length;
  yield `${counted(rules.length, 'rule')}, ${violated} not complied with`;
}

function* ruleLines({ name, compliance, compliantCount, nonCompliantCount, results }: CheckedRule): Iterable<string> {
  const total = compliantCount + nonCompliantCount;
  const counts = nonCompliantCount === 0 ? '' : ` (${nonCompliantCount} of ${counted(total, 'resource')})`;
  yield `${compliance.padEnd(14)}  ${name}${counts}`;
  for (const result of results) {
    if (result.compliance === 'NON_COMPLIANT') yield `                  ${result.annotation} [${result.resourceType} ${result.resourceId}]`;
  }
}
