/** Own operations that evaluate the configuration rules of all services. Requirement COMP-6. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import type { Store } from '#store/store.ts';
import type { ConfigurationRule, EvaluatedRule, RuleReading, ServerFacts } from '../kit/configuration-rule.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { paging } from '../kit/page.ts';
import { evaluateRule, resultKey } from '../kit/rule-results.ts';
import { AwsError, invalidField } from './kit/errors.ts';

type Api = AccessanalyzerApi;

/** Parts of the server that the operations need. */
export interface RuleParts {
  /** Loads the rules of all services, in the order of their names. */
  readonly loadRules: () => Promise<readonly ConfigurationRule[]>;
  readonly serverFacts: ServerFacts;
}

const { pageOf, afterKey } = paging<Pick<Api['ListConfigurationRuleResults']['input'], 'maxResults' | 'nextToken'>, { nextToken?: string }>(
  {
    defaultSize: 100,
    sizeOf: ({ maxResults }) => maxResults,
    tokenOf: ({ nextToken }) => nextToken,
    rest: (nextToken) => omitUndefined({ nextToken }),
    invalidToken: () => invalidField('nextToken', 'Invalid nextToken.'),
  },
);

/**
 * Returns the operations. They read outside of the transaction of the request, in short transactions of a survey. So the number of
 * evaluations that run at a time is limited for each account.
 */
export function ruleOperations({ loadRules, serverFacts }: RuleParts) {
  const readingOf = ({ accountId, region, now }: Call, store: Pick<Store, 'transaction'>): RuleReading => ({
    store,
    accountId,
    region,
    now,
    server: serverFacts,
  });
  return {
    ListConfigurationRules: {
      async handle(call) {
        const rules = call.survey('configuration rules', async (store) => {
          const reading = readingOf(call, store);
          const shown: Api['ListConfigurationRules']['output']['rules'][number][] = [];
          // Keeps only the counts, because the results of all rules together can take much memory.
          for (const rule of await loadRules()) shown.push(toEvaluatedRule(await evaluateRule(rule, reading)));
          return shown;
        });
        return { accountId: call.accountId, region: call.region, evaluatedAt: call.now, rules };
      },
    },

    /**
     * Returns a page of the results of one rule. Each page evaluates the whole rule again, so nothing is stored.
     *
     * @throws ResourceNotFoundException  there is no rule with this name
     * @throws ValidationException        the token is invalid
     */
    ListConfigurationRuleResults: {
      async handle(call, input) {
        afterKey(input);
        const page = call.survey('configuration rule results', async (store) => {
          const rule = (await loadRules()).find(({ name }) => name === input.ruleName);
          if (rule === undefined) return undefined;
          const { results } = await evaluateRule(rule, readingOf(call, store));
          const listed = results.filter(({ compliance }) => input.compliance === undefined || compliance === input.compliance);
          return pageOf(
            input,
            listed.map((record) => ({ key: resultKey(record), record })),
          );
        });
        if (page === undefined) {
          const [resourceId, resourceType] = [input.ruleName, 'ConfigurationRule'];
          throw new AwsError('ResourceNotFoundException', `There is no configuration rule with this name: ${resourceId}`, {
            resourceId,
            resourceType,
          });
        }
        return { evaluatedAt: call.now, results: page.records, ...page.rest };
      },
    },
  } satisfies Partial<ServiceOperations<Api>>;
}

/** Returns a rule as the operation lists it: with the number of its results instead of the results. */
export function toEvaluatedRule({ rule, compliance, results }: EvaluatedRule): Api['ListConfigurationRules']['output']['rules'][number] {
  const { name, description, parameters, requirements } = rule;
  const compliantCount = results.filter((result) => result.compliance === 'COMPLIANT').length;
  return { name, description, parameters, requirements, compliance, compliantCount, nonCompliantCount: results.length - compliantCount };
}
