import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccountId, type Arn, arn, NO_ACCOUNT } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import type { RequestFacts } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import type { Principal, SessionFacts } from '#core/principal.ts';
import { SLOT_KEYS, slotOf, TRUTH_KEYS, truthsOf } from '#policy/engine.ts';
import type { IdentityChange } from '#store/identity/identity.ts';
import { changeTo } from '#store/identity/record-examples.ts';
import { callersOf } from './caller-facts.ts';
import { contextMap, newRequestContext, operationKeys, type RequestContext, setOwnerVisible, setResource } from './request-context.ts';
import { newSnapshot } from './snapshot.ts';
import { newStacks } from './stacks.ts';
import { resourceTagsOf } from './tag-facts.ts';

const ACCOUNT = '111122223333' as AccountId;
const NOW = instant(Date.UTC(2026, 10, 22, 12, 30, 15, 678));

const RECEIVED: RequestFacts = {
  requestId: 'r',
  rawHeaders: ['Host', 'localhost', 'User-Agent', 'aws-cli/2', 'Referer', 'https://example.com'],
  sourceIp: '192.0.2.7',
  secureTransport: true,
};
const BARE: RequestFacts = { requestId: 'r', rawHeaders: [], sourceIp: '2001:db8::1' };

const SESSION: SessionFacts = {
  issuedAt: instant(NOW - 90_000),
  expiresAt: instant(NOW + 3_600_000),
  mfaAuthenticated: true,
  sourceIdentity: 'ada@example.com',
  tags: { Team: 'blue', shift: 'night' },
  transitiveTagKeys: [],
  chained: false,
};
const ROLE_ARN = arn('iam', '', ACCOUNT, 'role/ops/reader');

const ROOT: Principal = { type: 'Root', accountId: ACCOUNT, arn: arn('iam', '', ACCOUNT, 'root'), principalId: ACCOUNT };
const USER: Principal = {
  type: 'IAMUser',
  accountId: ACCOUNT,
  arn: arn('iam', '', ACCOUNT, 'user/ada'),
  principalId: 'AIDAADA',
  userName: 'ada',
};
const ROLE: Principal = {
  type: 'AssumedRole',
  accountId: ACCOUNT,
  arn: arn('sts', '', ACCOUNT, 'assumed-role/reader/s'),
  principalId: 'AROAREADER:s',
  roleArn: ROLE_ARN,
  roleId: 'AROAREADER',
  roleName: 'reader',
  sessionName: 's',
  session: {
    ...SESSION,
    federatedProvider: arn('iam', '', ACCOUNT, 'oidc-provider/idp.example'),
    federatedContext: new Map<string, string | readonly string[]>([
      ['idp.example:sub', 'user-7'],
      ['idp.example:amr', ['pwd', 'otp']],
    ]),
  },
};
const FEDERATED: Principal = {
  type: 'FederatedUser',
  accountId: ACCOUNT,
  arn: arn('sts', '', ACCOUNT, 'federated-user/visitor'),
  principalId: `${ACCOUNT}:visitor`,
  userName: 'visitor',
  issuerArn: USER.arn,
  issuerId: 'AIDAADA',
  session: { ...SESSION, mfaAuthenticated: false },
};
const UNSIGNED: Principal = { type: 'Unknown', accountId: NO_ACCOUNT, arn: 'arn:aws:iam:::anonymous' as Arn, principalId: 'anonymous' };
const SERVICE: Principal = {
  type: 'AWSService',
  accountId: ACCOUNT,
  arn: arn('iam', '', ACCOUNT, 'service'),
  principalId: 's',
  service: 'chime.amazonaws.com',
};

/** Returns a snapshot with the tagged user ada and the role `reader`. The account is in an organization if `isMember`. */
function snapshotOf(isMember: boolean) {
  const snapshot = newSnapshot();
  const holder = { accountId: ACCOUNT, path: '/', createdAt: NOW, attachedPolicyArns: [], inlinePolicies: {} };
  const tags = [
    { key: 'team', value: 'red' },
    { key: 'Floor', value: '3' },
  ];
  const user = { ...holder, arn: USER.arn, userName: 'ada', userId: 'AIDAADA', tags, groupIds: [], accessKeyIds: [] };
  const trustPolicy = '{"Version":"2012-10-17","Statement":[]}';
  const role = { ...holder, arn: ROLE_ARN, roleName: 'reader', roleId: 'AROAREADER', trustPolicy, maxSessionSeconds: 3600, tags };
  const target = { accountId: ACCOUNT, attachedPolicyIds: [], tags: [] };
  const organization: IdentityChange[] = [
    changeTo({
      ...{ accountId: ACCOUNT, kind: 'organization', key: 'organization', version: 1 },
      record: {
        ...{ accountId: ACCOUNT, organizationId: 'o-abcdef1234', featureSet: 'ALL', createdAt: NOW, serviceControl: 'disabled' },
        root: { attachedPolicyIds: [], tags: [], rootId: 'r-ab12' },
      },
    }),
    changeTo({
      ...{ accountId: ACCOUNT, kind: 'organization-member', key: 'organization', version: 1 },
      record: { accountId: ACCOUNT, managementAccountId: ACCOUNT },
    }),
    changeTo({
      ...{ accountId: ACCOUNT, kind: 'organization-account', key: ACCOUNT, version: 1 },
      record: { ...target, memberId: ACCOUNT, parentId: 'r-ab12', joinedAt: NOW, joinedMethod: 'INVITED', status: 'ACTIVE' },
    }),
  ];
  snapshot.apply(1, [
    changeTo({ accountId: ACCOUNT, kind: 'user', key: 'ada', version: 1, record: user }),
    changeTo({ accountId: ACCOUNT, kind: 'role', key: 'reader', version: 1, record: role }),
    ...(isMember ? organization : []),
  ]);
  return snapshot;
}

function contextOf(principal: Principal, received: RequestFacts, isMember: boolean, added?: ConditionContext): RequestContext {
  const snapshot = snapshotOf(isMember);
  const caller = callersOf(snapshot, newStacks(snapshot))(principal);
  return newRequestContext({ received, authenticated: { region: 'eu-central-1' }, now: NOW }, { action: 'a:B' }, caller, added);
}

// biome-ignore format: a table
const EVERY_KEY: readonly (readonly [key: string, value: string | readonly string[]])[] = [
  ['aws:currenttime',            '2026-11-22T12:30:15Z'                       ],
  ['aws:epochtime',              '1795350615'                                 ],
  ['aws:principaltype',          'AssumedRole'                                ],
  ['aws:securetransport',        'true'                                       ],
  ['aws:sourceip',               '192.0.2.7'                                  ],
  ['aws:requestedregion',        'eu-central-1'                               ],
  ['aws:viaawsservice',          'false'                                      ],
  ['aws:principalisawsservice',  'false'                                      ],
  ['aws:useragent',              'aws-cli/2'                                  ],
  ['aws:referer',                'https://example.com'                        ],
  ['aws:principalaccount',       ACCOUNT                                      ],
  ['aws:principalarn',           ROLE_ARN                                     ],
  ['aws:userid',                 'AROAREADER:s'                               ],
  ['aws:principalorgid',         'o-abcdef1234'                               ],
  ['aws:principalorgpaths',      ['o-abcdef1234/r-ab12/']                     ],
  ['aws:principalorgmasteraccountid', ACCOUNT                                 ],
  ['aws:ismcpserviceaction',     'false'                                      ],
  ['aws:principaltag/team',      'blue'                                       ],
  ['aws:principaltag/floor',     '3'                                          ],
  ['aws:principaltag/shift',     'night'                                      ],
  ['aws:tokenissuetime',         '2026-11-22T12:28:45Z'                       ],
  ['aws:multifactorauthpresent', 'true'                                       ],
  ['aws:multifactorauthage',     '90'                                         ],
  ['aws:sourceidentity',         'ada@example.com'                            ],
  ['aws:federatedprovider',      `arn:aws:iam::${ACCOUNT}:oidc-provider/idp.example`],
  ['idp.example:sub',            'user-7'                                     ],
  ['idp.example:amr',            ['pwd', 'otp']                               ],
  ['aws:requesttag/color',       'green'                                      ],
  ['aws:tagkeys',                ['color', 'Color']                           ],
  ['aws:resourceaccount',        ACCOUNT                                      ],
  ['aws:resourceorgid',          'o-abcdef1234'                               ],
  ['aws:resourceorgpaths',       ['o-abcdef1234/r-ab12/']                     ],
  ['aws:resourcetag/color',      'gray'                                       ],
];

const ADDED: ConditionContext = new Map<string, string | readonly string[]>([
  ['aws:requesttag/color', 'green'],
  ['aws:tagkeys', ['color']],
]);

test('contextMap: the map contains every fact of a request', () => {
  const context = contextOf(ROLE, RECEIVED, true, ADDED);
  setResource(context, 'arn:r', context.caller, resourceTagsOf('chime', { Color: 'gray' }, ['color']), true);
  assert.deepEqual([...contextMap(context, true)], EVERY_KEY);
  const ofOwner = new Set(['aws:resourceorgid', 'aws:resourceorgpaths', 'aws:resourcetag/color']);
  const visible = EVERY_KEY.filter(([key]) => !ofOwner.has(key)).map(([key, value]) => [key, key === 'aws:tagkeys' ? ['color'] : value]);
  assert.deepEqual([...contextMap(context, false)], visible);
});

for (const principal of [ROOT, USER, ROLE, FEDERATED, SERVICE, UNSIGNED]) {
  for (const isMember of [true, false]) {
    test(`RequestContext: each value is the same as in contextMap, for ${principal.type}${isMember ? ' in an organization' : ''}`, () => {
      const mfa: ConditionContext = new Map([['aws:multifactorauthpresent', 'true']]);
      for (const received of [RECEIVED, BARE]) {
        for (const added of [undefined, ADDED, mfa]) {
          const context = contextOf(principal, received, isMember, added);
          for (const owner of [context.owner, context.caller, { accountId: '', organization: () => undefined }]) {
            for (const tags of [undefined, resourceTagsOf('iam', { Color: 'gray' }, added?.get('aws:tagkeys'))]) {
              setResource(context, 'arn:r', owner, tags, true);
              for (const ownerVisible of [true, false]) agrees(context, ownerVisible);
            }
          }
        }
      }
    });
  }
}

/** Asserts that `value()`, `moment` and `truths` of a context agree with the result of `contextMap`. */
function agrees(context: RequestContext, ownerVisible: boolean): void {
  const all = contextMap(context, ownerVisible);
  setOwnerVisible(context, ownerVisible);
  for (const key of new Set([...all.keys(), ...SLOT_KEYS, ...EVERY_KEY.map(([each]) => each), 'iam:resourcetag/color', 'aws:unknown'])) {
    assert.deepEqual(context.value(slotOf(key), key), all.get(key), key);
  }
  assert.equal(Math.floor(NOW / 1000) * 1000, context.moment);
  const overridden = TRUTH_KEYS.some((key) => context.added?.has(key));
  assert.equal(context.truths, overridden ? 0 : truthsOf((key) => all.get(key)));
}

test('RequestContext: if the operation sets aws:CurrentTime, `moment` is NaN', () => {
  const added = new Map([['aws:currenttime', '2020-01-01T00:00:00Z']]);
  assert.equal(contextOf(USER, RECEIVED, false, added).moment, Number.NaN);
});

test('operationKeys: for operations of the service chime (profile `classic`), the result has no tag keys', () => {
  const declared = new Map([
    ['aws:requesttag/color', 'green'],
    ['iam:passedtoservice', 'chime.amazonaws.com'],
  ]);
  const read = new Map([['aws:resourcetag/color', 'gray']]);
  assert.deepEqual(operationKeys(declared, read, 'classic'), new Map([['iam:passedtoservice', 'chime.amazonaws.com']]));
  assert.deepEqual(operationKeys(declared, read, 'sdk'), new Map([...declared, ...read]));
  assert.equal(operationKeys(undefined, undefined, 'sdk'), undefined);
});
