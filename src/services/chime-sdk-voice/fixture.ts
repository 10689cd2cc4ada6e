/** Fixture of the tests in this folder: the operations on a real store in memory. */
import { instant } from '#core/instant.ts';
import type { ChimeSdkVoiceApi, Origination, Termination } from '#model/generated/chime-sdk-voice.ts';
import type { Store } from '#store/store.ts';
import { seattleNumber, stock } from '../chime-kit/inventory-fixture.ts';
import { DEFAULT_VOICE_LIMITS } from '../chime-kit/voice-limits.ts';
import { ACCOUNT, openOperations, type Run, START } from '../kit/fixture.ts';
import type { VoiceDeps } from './deps.ts';
import { DEFAULT_HOST_SUFFIX } from './host-names.ts';
import { voiceOperations } from './operations.ts';
import { sipPeers } from './sip-peers.ts';

export { CALLER, OTHER_ACCOUNT, START } from '../kit/fixture.ts';
export { ACCOUNT };

type Api = ChimeSdkVoiceApi;

export const UNKNOWN = 'ffffffff-0000-4000-8000-000000000000';

/** Returns the ARN of a Lambda function in a region. */
export function lambdaIn(region: string): string {
  return `arn:aws:lambda:${region}:111122223333:function:answer`;
}

export const ORIGINATION: Origination = { Routes: [{ Host: 'pbx.example.org', Port: 5060, Protocol: 'TCP', Priority: 1, Weight: 1 }] };
export const TERMINATION: Termination = { CallingRegions: ['US'], CidrAllowedList: ['8.8.8.0/27'] };

export interface Fixture {
  readonly store: Store;
  readonly run: Run<Api>;
  /** Returns the service principal of each recorded CreateServiceLinkedRole event. */
  createdRoles(): Promise<readonly string[]>;
  /** Creates a Voice Connector. Resolves to its ID. */
  connector(more?: Partial<Api['CreateVoiceConnector']['input']>, as?: Parameters<Run<Api>>[2]): Promise<string>;
  /** Creates a SIP media application with a new name. Resolves to its ID. */
  application(more?: Partial<Api['CreateSipMediaApplication']['input']>, as?: Parameters<Run<Api>>[2]): Promise<string>;
  /** Creates a voice profile domain. Resolves to its ID. */
  domain(more?: Partial<Api['CreateVoiceProfileDomain']['input']>, as?: Parameters<Run<Api>>[2]): Promise<string>;
  /** Orders phone numbers that SIP rules can have. They can be used from `START`. */
  dialIn(...numbers: readonly string[]): Promise<void>;
}

/** Opens the fixture on a store, by default an empty one in memory. If a test passes no `vault`, an operation that encrypts a password throws. */
export async function openFixture({ limits, ...deps }: Partial<VoiceDeps> = {}, opened?: Store): Promise<Fixture> {
  const seal = () => {
    throw new Error('this test has no vault');
  };
  const { store, run } = await openOperations<Api>(
    voiceOperations({
      vault: { seal },
      limits: limits ?? DEFAULT_VOICE_LIMITS,
      sipPeers: sipPeers([]),
      ownedBuckets: { owns: async (_tx, accountId, bucket) => accountId === ACCOUNT && bucket === 'records' },
      hostSuffix: DEFAULT_HOST_SUFFIX,
      ...deps,
    }),
    [],
    opened,
  );
  let applications = 0;
  return {
    store,
    run,
    async createdRoles() {
      const { rows } = await store.transaction((tx) => tx.trail.since(0, 100));
      const created = rows.filter(({ eventName }) => eventName === 'CreateServiceLinkedRole');
      return created.map(({ document }) => JSON.parse(document).userIdentity.invokedBy as string);
    },
    async connector(more = {}, as = {}) {
      const { VoiceConnector } = await run('CreateVoiceConnector', { Name: 'trunk', RequireEncryption: true, ...more }, as);
      return VoiceConnector?.VoiceConnectorId as string;
    },
    async application(more = {}, as = {}) {
      const AwsRegion = more.AwsRegion ?? 'us-east-1';
      const input = { Name: `app ${++applications}`, AwsRegion, Endpoints: [{ LambdaArn: lambdaIn(AwsRegion) }], ...more };
      const { SipMediaApplication } = await run('CreateSipMediaApplication', input, as);
      return SipMediaApplication?.SipMediaApplicationId as string;
    },
    async domain(more = {}, as = {}) {
      const ServerSideEncryptionConfiguration = { KmsKeyArn: `arn:aws:kms:${as.region ?? 'us-east-1'}:${ACCOUNT}:key/k` };
      const { VoiceProfileDomain } = await run(
        'CreateVoiceProfileDomain',
        { Name: 'customers', ServerSideEncryptionConfiguration, ...more },
        as,
      );
      return VoiceProfileDomain?.VoiceProfileDomainId as string;
    },
    async dialIn(...numbers) {
      await stock(store, ...numbers.map((number) => seattleNumber(number)));
      const order = { ProductType: 'SipMediaApplicationDialIn', E164PhoneNumbers: numbers } as const;
      await run('CreatePhoneNumberOrder', order, { now: instant(START - 10_000) });
    },
  };
}
