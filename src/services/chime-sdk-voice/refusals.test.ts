/** Operations that no request can complete, with the error of each case, in the order of the checks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChimeSdkVoiceApi } from '#model/generated/chime-sdk-voice.ts';
import { loadModel } from '#model/load.ts';
import { DEFAULT_VOICE_LIMITS } from '../chime-kit/voice-limits.ts';
import { isNotYet, isRefused } from '../kit/not-yet.ts';
import type { VoiceDeps } from './deps.ts';
import { ACCOUNT, openFixture, UNKNOWN } from './fixture.ts';
import { voiceOperations } from './operations.ts';

const OPERATIONS = voiceOperations({ limits: DEFAULT_VOICE_LIMITS } as VoiceDeps);
const REFUSED = Object.entries(OPERATIONS).flatMap(([name, operation]) => (isRefused(operation) ? [name] : []));

/** Members of inputs whose resources exist. */
interface Existing {
  readonly VoiceConnectorId: string;
  readonly SipMediaApplicationId: string;
  readonly VoiceProfileDomainId: string;
}
type Row = readonly [
  operation: keyof ChimeSdkVoiceApi,
  title: string,
  input: (existing: Existing) => object,
  code: string,
  message: RegExp,
];

const noConnector = () => ({ VoiceConnectorId: '0000000000000000000000', SpeakerSearchTaskId: UNKNOWN, VoiceToneAnalysisTaskId: UNKNOWN });
const ADDRESS = {
  AwsAccountId: ACCOUNT,
  StreetNumber: '1',
  StreetInfo: 'Secret Road',
  City: 'Secret City',
  State: 'WA',
  Country: 'US',
  PostalCode: '98101',
};
const PROXY = /AWS ended support/;
const NO_CONNECTOR = /^Could not find VoiceConnector with Id '0{22}'$/;
const NO_TASK = /^Could not find \w+Task with Id 'ffffffff-.*no task runs\.$/;

// biome-ignore format: a table
const ROWS: readonly Row[] = [
  ['CreateVoiceProfile',            'any task',               () => ({ SpeakerSearchTaskId: UNKNOWN }),                                      'NotFoundException',   NO_TASK              ],
  ['GetVoiceProfile',               'any profile',            () => ({ VoiceProfileId: UNKNOWN }),                                           'NotFoundException',   /find VoiceProfile / ],
  ['UpdateVoiceProfile',            'any profile',            () => ({ VoiceProfileId: UNKNOWN, SpeakerSearchTaskId: UNKNOWN }),             'NotFoundException',   /find VoiceProfile / ],
  ['DeleteVoiceProfile',            'any profile',            () => ({ VoiceProfileId: UNKNOWN }),                                           'NotFoundException',   /find VoiceProfile / ],
  ['StartSpeakerSearchTask',        'an unknown connector',   () => ({ ...noConnector(), VoiceProfileDomainId: UNKNOWN }),                   'NotFoundException',   NO_CONNECTOR         ],
  ['StartSpeakerSearchTask',        'an unknown domain',      (existing) => ({ ...existing, VoiceProfileDomainId: UNKNOWN }),                'NotFoundException',   /VoiceProfileDomain/ ],
  ['StartSpeakerSearchTask',        'a call',                 (existing) => existing,                                                        'ForbiddenException',  /no audio/           ],
  ['GetSpeakerSearchTask',          'an unknown connector',   noConnector,                                                                   'NotFoundException',   NO_CONNECTOR         ],
  ['GetSpeakerSearchTask',          'any task',               (existing) => ({ ...noConnector(), ...existing }),                             'NotFoundException',   NO_TASK              ],
  ['StopSpeakerSearchTask',         'an unknown connector',   noConnector,                                                                   'NotFoundException',   NO_CONNECTOR         ],
  ['StopSpeakerSearchTask',         'any task',               (existing) => ({ ...noConnector(), ...existing }),                             'NotFoundException',   NO_TASK              ],
  ['StartVoiceToneAnalysisTask',    'an unknown connector',   noConnector,                                                                   'NotFoundException',   NO_CONNECTOR         ],
  ['StartVoiceToneAnalysisTask',    'a call',                 (existing) => existing,                                                        'ForbiddenException',  /no audio/           ],
  ['GetVoiceToneAnalysisTask',      'an unknown connector',   noConnector,                                                                   'NotFoundException',   NO_CONNECTOR         ],
  ['GetVoiceToneAnalysisTask',      'any task',               (existing) => ({ ...noConnector(), ...existing }),                             'NotFoundException',   NO_TASK              ],
  ['StopVoiceToneAnalysisTask',     'an unknown connector',   noConnector,                                                                   'NotFoundException',   NO_CONNECTOR         ],
  ['StopVoiceToneAnalysisTask',     'any task',               (existing) => ({ ...noConnector(), ...existing }),                             'NotFoundException',   NO_TASK              ],
  ['CreateSipMediaApplicationCall', 'an unknown application', () => ({ SipMediaApplicationId: UNKNOWN }),                                    'BadRequestException', /SipMediaApplication/],
  ['CreateSipMediaApplicationCall', 'a call',                 (existing) => existing,                                                        'ForbiddenException',  /no media/           ],
  ['UpdateSipMediaApplicationCall', 'an unknown application', () => ({ SipMediaApplicationId: UNKNOWN, TransactionId: UNKNOWN }),            'NotFoundException',   /SipMediaApplication/],
  ['UpdateSipMediaApplicationCall', 'any call',               (existing) => ({ ...existing, TransactionId: UNKNOWN }),                       'NotFoundException',   /no call/            ],
  ['GetSipMediaApplicationAlexaSkillConfiguration', 'any application', () => ({ SipMediaApplicationId: UNKNOWN }),                'GoneException',       /no longer available/],
  ['PutSipMediaApplicationAlexaSkillConfiguration', 'any application', (existing) => existing,                                    'GoneException',       /no longer available/],
  ['ValidateE911Address',           'another account',        () => ({ ...ADDRESS, AwsAccountId: '444455556666', Country: 'Nowhere' }),      'ForbiddenException',  /account/            ],
  ['ValidateE911Address',           'an unknown country',     () => ({ ...ADDRESS, Country: 'XX' }),                                         'BadRequestException', /ISO 3166-1/         ],
  ['ValidateE911Address',           'an address',             () => ADDRESS,                                                                 'ForbiddenException',  /no carrier/         ],
  ...(['PutVoiceConnectorProxy', 'GetVoiceConnectorProxy', 'DeleteVoiceConnectorProxy', 'CreateProxySession', 'GetProxySession', 'UpdateProxySession', 'DeleteProxySession', 'ListProxySessions'] as const).flatMap((operation): readonly Row[] => [
    [operation,                     'an unknown connector',   noConnector,                                                                   'NotFoundException',   NO_CONNECTOR         ],
    [operation,                     'a connector',            (existing) => existing,                                                        'ForbiddenException',  PROXY                ],
  ]),
];

/** A store with one resource of each kind. The tests change nothing in it. */
const FILLED = openFixture().then(async ({ run, connector, application, domain }) => ({
  run,
  existing: {
    VoiceConnectorId: await connector(),
    SipMediaApplicationId: await application(),
    VoiceProfileDomainId: await domain(),
  },
}));

for (const [operation, title, input, code, message] of ROWS) {
  test(`${operation}: ${title} is ${code}, an error of the model`, async () => {
    const { run, existing } = await FILLED;
    await assert.rejects(run(operation, input(existing) as never), (error: { readonly code: string; readonly message: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /Secret/);
      return true;
    });
    assert.ok(loadModel('chime-sdk-voice').operations[operation]?.errors.includes(code), `${operation} has no ${code} in the model`);
  });
}

test('Refusals: every operation is implemented or has rows in the table', () => {
  assert.deepEqual(REFUSED.sort(), [...new Set(ROWS.map(([operation]) => operation))].sort());
  assert.deepEqual(
    Object.entries(OPERATIONS).flatMap(([name, operation]) => (isNotYet(operation) && !isRefused(operation) ? [name] : [])),
    [],
  );
});
