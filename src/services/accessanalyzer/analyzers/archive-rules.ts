/** Operations on the archive rules of analyzers. */
import type { Instant } from '#core/instant.ts';
import type { AccessanalyzerApi, ArchiveRuleSummary, InlineArchiveRule } from '#model/generated/accessanalyzer.ts';
import type { Call, ServiceOperations } from '../../kit/operation.ts';
import { applyRulePart } from '../findings/apply-rule.ts';
import { validateFilter } from '../findings/filters.ts';
import { invalidField, notFound, resourceError } from '../kit/errors.ts';
import { analyzerArn, analyzerOfArn, namedAnalyzer, onAnalyzer, onAnalyzerArn, onRule } from '../kit/lookup.ts';
import { pageOfNames } from '../kit/pages.ts';
import { RULES_MAX } from '../kit/quotas.ts';
import { onceForToken } from '../kit/tokens.ts';
import { type AnalyzerRecord, analyzers, type RuleRecord } from '../tables/analyzers.ts';

/**
 * Returns the archive rules of a new analyzer.
 *
 * @throws ValidationException  too many rules; two with one name; an invalid filter
 */
export function newRules(analyzerId: string, now: Instant, rules: readonly InlineArchiveRule[]): readonly RuleRecord[] {
  if (rules.length > RULES_MAX) throw invalidField('archiveRules', `An analyzer can have at most ${RULES_MAX} archive rules.`);
  if (new Set(rules.map(({ ruleName }) => ruleName)).size < rules.length)
    throw invalidField('archiveRules', 'The names of archive rules must be unique.');
  return rules.map(({ ruleName, filter }) => {
    validateFilter(filter, 'rule');
    return { analyzerId, ruleName, filter, createdAt: now, updatedAt: now };
  });
}

export const archiveRuleOperations = {
  /**
   * Creates an archive rule, which archives new findings. Existing findings do not change.
   *
   * @throws ResourceNotFoundException, ValidationException
   * @throws ConflictException              the analyzer has a rule with this name, or the token was used for another request
   * @throws ServiceQuotaExceededException  the analyzer has 100 rules
   * Assumed: the order of the errors.
   */
  CreateArchiveRule: {
    access: (input, caller) => onRule(input, caller),
    async handle(call, input) {
      const { analyzerName, ruleName, filter } = input;
      validateFilter(filter, 'rule');
      const analyzer = await namedAnalyzer(call, analyzerName);
      const repository = call.tx.of(analyzers);
      const arn = ruleArn(analyzer, ruleName);
      const create = async () => {
        const [rule] = newRules(analyzer.analyzerId, call.now, [{ ruleName, filter }]);
        if ((await repository.rule(analyzer.analyzerId, ruleName)) !== undefined)
          throw resourceError('ConflictException', 'ArchiveRule', arn, `An archive rule with the name ${ruleName} already exists.`);
        if ((await repository.countRules(analyzer.analyzerId)) >= RULES_MAX)
          throw resourceError(
            'ServiceQuotaExceededException',
            'ArchiveRule',
            arn,
            `You have reached the limit of ${RULES_MAX} archive rules.`,
          );
        await repository.addRule(rule as RuleRecord);
      };
      const exists = async () => (await repository.rule(analyzer.analyzerId, ruleName)) !== undefined;
      await onceForToken(call, 'CreateArchiveRule', arn, input, create, exists);
      return {};
    },
  },

  GetArchiveRule: {
    access: (input, caller) => onRule(input, caller),
    /** @throws ResourceNotFoundException  the analyzer or the rule does not exist */
    async handle(call, { analyzerName, ruleName }) {
      return { archiveRule: toSummary(await ruleOf(call, await namedAnalyzer(call, analyzerName), ruleName)) };
    },
  },

  ListArchiveRules: {
    access: (input, caller) => onAnalyzer(input, caller),
    /** @throws ResourceNotFoundException, ValidationException */
    async handle(call, { analyzerName, ...request }) {
      const { analyzerId } = await namedAnalyzer(call, analyzerName);
      const read = (after: string, limit: number) => call.tx.of(analyzers).rules(analyzerId, after, limit);
      const { items, rest } = await pageOfNames(['rules', analyzerId], request, read, ({ ruleName }) => ruleName);
      return { archiveRules: items.map(toSummary), ...rest };
    },
  },

  /** Replaces the filter of an archive rule. @throws ResourceNotFoundException, ValidationException */
  UpdateArchiveRule: {
    access: (input, caller) => onRule(input, caller),
    async handle(call, { analyzerName, ruleName, filter }) {
      validateFilter(filter, 'rule');
      const rule = await ruleOf(call, await namedAnalyzer(call, analyzerName), ruleName);
      await call.tx.of(analyzers).putRule({ ...rule, filter, updatedAt: call.now });
      return {};
    },
  },

  /** Deletes an archive rule. The findings that it archived stay archived. @throws ResourceNotFoundException */
  DeleteArchiveRule: {
    access: (input, caller) => onRule(input, caller),
    async handle(call, input) {
      const { analyzerId, ...key } = await namedAnalyzer(call, input.analyzerName);
      const arn = ruleArn(key, input.ruleName);
      await onceForToken(call, 'DeleteArchiveRule', arn, input, async () => {
        if ((await call.tx.of(analyzers).removeRule(analyzerId, input.ruleName)) === 'absent') throw notFound('ArchiveRule', arn);
      });
      return {};
    },
  },

  /**
   * Archives the active findings that an archive rule matches. The call compares the first 500 findings, and a background task the others.
   *
   * @throws AccessDeniedException, ResourceNotFoundException
   */
  ApplyArchiveRule: {
    access: ({ analyzerArn: arn }, caller) => onAnalyzerArn(arn, caller),
    async handle(call, { analyzerArn: arn, ruleName }) {
      const rule = await ruleOf(call, await analyzerOfArn(call, arn), ruleName);
      await applyRulePart(call, { ...rule, appliedTo: '' });
      return {};
    },
  },
} satisfies Partial<ServiceOperations<AccessanalyzerApi>>;

function ruleArn(analyzer: Pick<AnalyzerRecord, 'accountId' | 'region' | 'name'>, ruleName: string): string {
  return `${analyzerArn(analyzer)}/archive-rule/${ruleName}`;
}

async function ruleOf(call: Call, analyzer: AnalyzerRecord, ruleName: string): Promise<RuleRecord> {
  const rule = await call.tx.of(analyzers).rule(analyzer.analyzerId, ruleName);
  if (rule === undefined) throw notFound('ArchiveRule', ruleArn(analyzer, ruleName));
  return rule;
}

function toSummary({ ruleName, filter, createdAt, updatedAt }: RuleRecord): ArchiveRuleSummary {
  return { ruleName, filter, createdAt, updatedAt };
}
