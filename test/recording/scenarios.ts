import type { Keys } from '../kit/keys.ts';
import type { Recorder } from './recorder.ts';
import { federation } from './scenarios/federation.ts';
import { iam } from './scenarios/iam.ts';
import { identity } from './scenarios/identity.ts';
import { meetings } from './scenarios/meetings.ts';
import { messaging } from './scenarios/messaging.ts';
import { organizations } from './scenarios/organizations.ts';
import { pipelines } from './scenarios/pipelines.ts';
import { sts } from './scenarios/sts.ts';
import { voice } from './scenarios/voice.ts';

/** Calls that depend on each other. Resolves to keys of further accounts whose event history belongs to the recording. */
export type Scenario = (recorder: Recorder) => Promise<readonly Keys[] | undefined>;

/** The scenarios in the order of the recording. New ones are added at the end. */
export const SCENARIOS: readonly Scenario[] = [meetings, identity, iam, messaging, voice, pipelines, sts, federation, organizations];
