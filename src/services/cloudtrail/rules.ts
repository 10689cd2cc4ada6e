/** Configuration rules about trails and the event history. */
import { trailRetention } from '#store/trail/trail-retention.ts';
import type { ConfigurationRule, Evidence, RuleReading } from '../kit/configuration-rule.ts';
import { accountResource, evidence, type RuleResource, ruleResult } from '../kit/rule-results.ts';
import { appliesTo, trailsSeenBy } from './lookup.ts';
import type { TrailRecord } from './tables/trails.ts';
import { trailArn } from './trail-names.ts';

/** Maximum number of trails of one result that have an evidence. */
const SHOWN_TRAILS = 10;
/** Required days of the event history. Source: CloudTrail User Guide: the event history has 90 days. Requirement COMP-5. */
const MINIMUM_DAYS = 90;

/** Reads the trails that apply to the region of the evaluation, also those of other regions and of the organization. */
async function trailsOf({ store, accountId, region }: RuleReading): Promise<readonly TrailRecord[]> {
  return (await store.transaction((tx) => trailsSeenBy(tx, accountId))).filter((trail) => appliesTo(trail, region));
}

function statusEvidence(trail: TrailRecord): Evidence {
  return evidence('cloudtrail:GetTrailStatus', { Name: trailArn(trail) }, 'IsLogging', trail.logging);
}

function regionsEvidence(trail: TrailRecord): Evidence {
  return evidence('cloudtrail:GetTrail', { Name: trailArn(trail) }, 'Trail.IsMultiRegionTrail', trail.configuration.IsMultiRegionTrail);
}

/** Source: AWS Config Developer Guide, "cloudtrail-enabled". Assumed: the trail must log, and apply to the region of the evaluation. */
const ENABLED: ConfigurationRule = {
  name: 'cloudtrail-enabled',
  description: 'A trail logs the events of the account.',
  parameters: {},
  requirements: ['COMP-5', 'COMP-6'],
  async evaluate(reading) {
    const trails = await trailsOf(reading);
    const logging = trails.find((trail) => trail.logging);
    if (logging !== undefined)
      return [ruleResult(accountResource(reading), true, `Trail '${logging.name}' logs.`, [statusEvidence(logging)])];
    const annotation = trails.length === 0 ? 'The account has no trail in this region.' : `None of the ${trails.length} trails logs.`;
    const count = evidence('cloudtrail:DescribeTrails', {}, 'length(trailList)', trails.length);
    return [ruleResult(accountResource(reading), false, annotation, [count, ...trails.slice(0, SHOWN_TRAILS).map(statusEvidence)])];
  },
};

/** Source: AWS Config Developer Guide, "multi-region-cloudtrail-enabled". Assumed: the trail must log. */
const ALL_REGIONS: ConfigurationRule = {
  name: 'multi-region-cloudtrail-enabled',
  description: 'A trail logs the events of all regions.',
  parameters: {},
  requirements: ['COMP-5', 'COMP-6'],
  async evaluate(reading) {
    const trails = await trailsOf(reading);
    const found = trails.find(({ logging, configuration }) => logging && configuration.IsMultiRegionTrail);
    const shown = found === undefined ? trails.slice(0, SHOWN_TRAILS) : [found];
    const annotation =
      found === undefined ? 'No trail logs the events of all regions.' : `Trail '${found.name}' logs the events of all regions.`;
    const count = found === undefined ? [evidence('cloudtrail:DescribeTrails', {}, 'length(trailList)', trails.length)] : [];
    const proof = [...count, ...shown.flatMap((trail) => [regionsEvidence(trail), statusEvidence(trail)])];
    return [ruleResult(accountResource(reading), found !== undefined, annotation, proof)];
  },
};

/** Source: AWS Config Developer Guide, "cloud-trail-log-file-validation-enabled". Without a trail, `cloudtrail-enabled` reports it. */
const VALIDATION: ConfigurationRule = {
  name: 'cloud-trail-log-file-validation-enabled',
  description: 'Every trail delivers digest files, with which its log files are validated.',
  parameters: {},
  requirements: ['COMP-5', 'COMP-6', 'LOG-11'],
  async evaluate(reading) {
    return (await trailsOf(reading)).map((trail) => {
      const isEnabled = trail.configuration.LogFileValidationEnabled;
      const annotation = `Log file validation of trail '${trail.name}' is ${isEnabled ? 'enabled' : 'disabled'}.`;
      const proof = evidence('cloudtrail:GetTrail', { Name: trailArn(trail) }, 'Trail.LogFileValidationEnabled', isEnabled);
      return ruleResult(trailResource(trail), isEnabled, annotation, [proof]);
    });
  },
};

function trailResource(trail: TrailRecord): RuleResource {
  return { type: 'AWS::CloudTrail::Trail', id: trailArn(trail) };
}

/** Has no managed rule in AWS Config, and no evidence, because no call returns the retention. `belfry trail retention` prints it. */
const HISTORY: ConfigurationRule = {
  name: 'event-history-retention-check',
  description: 'The event history of the account has at least 90 days.',
  parameters: { minimumDays: String(MINIMUM_DAYS) },
  requirements: ['COMP-5', 'COMP-6'],
  async evaluate(reading) {
    const { store, accountId, server } = reading;
    const own = (await store.transaction((tx) => tx.of(trailRetention).daysOf([accountId]))).get(accountId);
    const days = own ?? server.eventHistoryDays;
    const origin = own === undefined ? 'the setting of the server' : 'the setting of the account';
    return [ruleResult(accountResource(reading), days >= MINIMUM_DAYS, `The event history has ${days} days, by ${origin}.`)];
  },
};

export const CLOUDTRAIL_RULES: readonly ConfigurationRule[] = [ENABLED, ALL_REGIONS, VALIDATION, HISTORY];
