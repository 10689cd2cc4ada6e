/** Accounts with their evaluated configuration rules, from a database or from a running server. Both have the same results. */
import type { AccountId } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { loadRules } from '#server/core/configuration-rules.ts';
import { serverFacts } from '#server/core/server-facts.ts';
import { FlagError, type ParsedFlags } from '#server/flags.ts';
import { readSettings, SettingError, type Settings } from '#server/settings.ts';
import { toEvaluatedRule } from '#services/accessanalyzer/configuration-rules.ts';
import { evaluateRule } from '#services/kit/rule-results.ts';
import { readOnlyStore } from '#store/engine/read-only-store.ts';
import { type Caller, callerOf, callOwn } from './own-call.ts';
import { accountsIn } from './policy-window.ts';
import { readDatabase } from './read-database.ts';

type Api = AccessanalyzerApi;
type Rule = Api['ListConfigurationRules']['output']['rules'][number];
type Result = Api['ListConfigurationRuleResults']['output']['results'][number];

/** A rule with its results for one account. */
export interface CheckedRule extends Rule {
  readonly results: readonly Result[];
}

/** An account with the selected rules. */
export interface CheckedAccount {
  readonly accountId: string;
  readonly region: string;
  readonly evaluatedAt: Instant;
  readonly rules: readonly CheckedRule[];
}

/** Account, rule and region of a command. An undefined member selects the default. */
export interface Selection {
  readonly accountId: AccountId | undefined;
  readonly rule: string | undefined;
  readonly region: string | undefined;
}

/** Maximum results of a page. */
const PAGE = 1_000;

/**
 * Evaluates rules on the database of the command, for one account or for all.
 *
 * @throws FlagError  there is no such rule or account, or the environment has invalid settings of the server
 */
export async function checkDatabase(parsed: ParsedFlags, { accountId, rule, region }: Selection): Promise<readonly CheckedAccount[]> {
  const settings = settingsOfEnvironment();
  const rules = selected(await loadRules(), rule);
  return await readDatabase(parsed, async (database) => {
    const store = readOnlyStore(database);
    const all = await accountsIn(database.sql);
    if (accountId !== undefined && !all.includes(accountId)) throw new FlagError(`the database has no account '${accountId}'`);
    const reading = { store, region: region ?? settings.region, now: instant(Date.now()), server: serverFacts(settings) };
    const checked: CheckedAccount[] = [];
    for (const each of accountId === undefined ? all : [accountId]) {
      const evaluated: CheckedRule[] = [];
      for (const one of rules) {
        const result = await evaluateRule(one, { ...reading, accountId: each });
        evaluated.push({ ...toEvaluatedRule(result), results: result.results });
      }
      checked.push({ accountId: each, region: reading.region, evaluatedAt: reading.now, rules: evaluated });
    }
    return checked;
  });
}

/** Returns the settings of the server that has the environment of the command. */
function settingsOfEnvironment(): Settings {
  try {
    return readSettings([], process.env);
  } catch (error) {
    throw error instanceof SettingError ? new FlagError(error.message) : error;
  }
}

/**
 * Evaluates rules for the account of the caller, by the operations of a running server.
 *
 * @throws FlagError  there is no such rule, or no endpoint
 * @throws Error      the server returned an error
 */
export async function checkEndpoint(parsed: ParsedFlags, { rule, region }: Selection): Promise<CheckedAccount> {
  const found = await callerOf(parsed, 'AWS_ENDPOINT_URL_ACCESSANALYZER');
  const caller = region === undefined ? found : { ...found, region };
  const listed = await call(caller, 'ListConfigurationRules', {});
  const rules: CheckedRule[] = [];
  for (const each of selected(listed.rules, rule)) rules.push({ ...each, results: await resultsOf(caller, each.name) });
  const evaluatedAt = instant(Date.parse(String(listed.evaluatedAt)));
  return { accountId: listed.accountId, region: listed.region, evaluatedAt, rules };
}

async function resultsOf(caller: Caller, ruleName: string): Promise<readonly Result[]> {
  const results: Result[] = [];
  let nextToken: string | undefined;
  do {
    const page = await call(caller, 'ListConfigurationRuleResults', { ruleName, maxResults: PAGE, nextToken });
    results.push(...page.results);
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return results;
}

async function call<Name extends 'ListConfigurationRules' | 'ListConfigurationRuleResults'>(
  caller: Caller,
  name: Name,
  input: object,
): Promise<Api[Name]['output']> {
  const { code, body } = await callOwn(caller, 'accessanalyzer', loadModel('accessanalyzer').operations[name] as OperationModel, input);
  if (code !== undefined) throw new Error(`${code}: ${body['message'] ?? body['Message'] ?? ''}`);
  return body as unknown as Api[Name]['output'];
}

function selected<Named extends { readonly name: string }>(rules: readonly Named[], wanted: string | undefined): readonly Named[] {
  const found = rules.filter(({ name }) => wanted === undefined || name === wanted);
  if (found.length === 0) throw new FlagError(`unknown rule '${wanted}' (rules: ${rules.map(({ name }) => name).join(', ')})`);
  return found;
}
