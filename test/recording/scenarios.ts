import type { Keys } from '../kit/keys.ts';
import type { Recorder } from './recorder.ts';
import { accessAnalyzer } from './scenarios/accessanalyzer.ts';
import { chime } from './scenarios/chime.ts';
import { chimeEnterprise } from './scenarios/chime-enterprise.ts';
import { cloudtrail } from './scenarios/cloudtrail.ts';
import { cloudwatch } from './scenarios/cloudwatch.ts';
import { events } from './scenarios/events.ts';
import { federation } from './scenarios/federation.ts';
import { iam } from './scenarios/iam.ts';
import { identity } from './scenarios/identity.ts';
import { logs } from './scenarios/logs.ts';
import { meetings } from './scenarios/meetings.ts';
import { messaging } from './scenarios/messaging.ts';
import { organizations } from './scenarios/organizations.ts';
import { pipelines } from './scenarios/pipelines.ts';
import { sts } from './scenarios/sts.ts';
import { voice } from './scenarios/voice.ts';

/** Sequence of calls that depend on each other. Resolves to keys of other accounts whose event history is also recorded. */
export type Scenario = (recorder: Recorder) => Promise<readonly Keys[] | undefined>;

/** Scenarios in the order of the recording. Add a new scenario at the end. */
export const SCENARIOS: readonly Scenario[] = [
  meetings,
  identity,
  iam,
  messaging,
  voice,
  pipelines,
  sts,
  federation,
  organizations,
  cloudtrail,
  events,
  cloudwatch,
  logs,
  chime,
  chimeEnterprise,
  accessAnalyzer,
];
