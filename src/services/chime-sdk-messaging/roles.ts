import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';

/** Roles of a bearer in a channel. A bearer can have several roles. Every bearer that is not banned has `NonMember`. */
export const ROLES = ['AppInstanceAdmin', 'ChannelModerator', 'Member', 'NonMember'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Condition under which a role allows an operation:
 *
 * - `yes`, `no`: always, never
 * - `public`: the channel is PUBLIC
 * - `open`: the mode of the channel is UNRESTRICTED
 * - `self`: the input names the bearer
 * - `selfOrOpen`: `self` or `open`
 * - `join`: `self`, `public` and `open`
 * - `own`: the bearer sent the message
 * - `asMember`: the bearer is also a member
 */
export type Right = 'yes' | 'no' | 'public' | 'open' | 'self' | 'selfOrOpen' | 'join' | 'own' | 'asMember';

/** Facts that conditions depend on. */
export interface Facts {
  readonly public: boolean;
  readonly open: boolean;
  readonly elastic: boolean;
  readonly self: boolean;
  readonly own: boolean;
  readonly member: boolean;
}

/** Operations without a bearer. Developers call them, and only IAM decides. */
type DeveloperOperation =
  | 'ChannelFlowCallback'
  | `${'Create' | 'Describe' | 'Update' | 'Delete'}ChannelFlow`
  | 'ListChannelFlows'
  | 'ListChannelsAssociatedWithChannelFlow'
  | `${'Put' | 'Get' | 'Delete'}MessagingStreamingConfigurations`
  | 'GetMessagingSessionEndpoint'
  | 'TagResource'
  | 'UntagResource'
  | 'ListTagsForResource';

/** Operations on behalf of a bearer. */
export type BearerOperation = Exclude<keyof ChimeSdkMessagingApi, DeveloperOperation>;

/**
 * Rights of each role in messaging, after IAM allowed the operation. Requirement CHM-6.
 *
 * Source: Chime SDK Developer Guide, "Understanding authorization by role". The guide contradicts itself and the API reference in places.
 * Assumed: members and moderators see the details of their private channels, because AWS's chat demo describes a private channel that it
 * created. The restriction to public channels applies to other bearers.
 * Assumed: a member cannot delete messages (the first of two rows; API reference, DeleteChannelMessage: "Only admins").
 * Assumed: a member deletes the membership of another user only in channels where it may add one (API reference, CreateChannelMembership: a
 * member can leave; CreateChannelModerator: a moderator can remove others).
 * Assumed: a non-member can describe its own membership only (two rows of the guide are interchanged).
 * Assumed: a user can add itself to a channel that is PUBLIC and UNRESTRICTED. The guide denies CreateChannelMembership to non-members, but
 * AWS's chat demo offers "Join Channel" to them, with themselves as bearer and member (aws-samples/amazon-chime-sdk, apps/chat,
 * `joinChannel`). The API reference, CreateChannel, Mode, says that members can add themselves to unrestricted channels.
 * Assumed: operations that the guide omits: a batch as its single form, PutChannelExpirationSettings as UpdateChannel.
 * Source: API reference, GetChannelMembershipPreferences, PutChannelMembershipPreferences: only of the bearer's own membership, in every role;
 * SearchChannels.
 */
// biome-ignore format: a table
export const RIGHTS: Readonly<Record<BearerOperation, readonly [admin: Right, moderator: Right, member: Right, nonMember: Right]>> = {
  // operation                                  AppInstanceAdmin  ChannelModerator  Member        NonMember
  CreateChannel:                               ['yes',            'yes',            'yes',        'yes'   ],
  ListChannels:                                ['yes',            'public',         'public',     'public'],
  SearchChannels:                              ['yes',            'yes',            'yes',        'yes'   ],
  ListChannelMembershipsForAppInstanceUser:    ['yes',            'self',           'self',       'self'  ],
  ListChannelsModeratedByAppInstanceUser:      ['yes',            'self',           'self',       'self'  ],
  DescribeChannelMembershipForAppInstanceUser: ['yes',            'self',           'self',       'self'  ],
  DescribeChannelModeratedByAppInstanceUser:   ['yes',            'yes',            'yes',        'self'  ],
  DescribeChannel:                             ['yes',            'yes',            'yes',        'public'],
  UpdateChannel:                               ['yes',            'yes',            'no',         'no'    ],
  DeleteChannel:                               ['yes',            'yes',            'no',         'no'    ],
  PutChannelExpirationSettings:                ['yes',            'yes',            'no',         'no'    ],
  CreateChannelMembership:                     ['yes',            'yes',            'open',       'join'  ],
  BatchCreateChannelMembership:                ['yes',            'yes',            'open',       'no'    ],
  DescribeChannelMembership:                   ['yes',            'yes',            'yes',        'public'],
  ListChannelMemberships:                      ['yes',            'yes',            'yes',        'public'],
  DeleteChannelMembership:                     ['yes',            'yes',            'selfOrOpen', 'no'    ],
  GetChannelMembershipPreferences:             ['no',             'no',             'self',       'no'    ],
  PutChannelMembershipPreferences:             ['no',             'no',             'self',       'no'    ],
  UpdateChannelReadMarker:                     ['asMember',       'asMember',       'yes',        'no'    ],
  SendChannelMessage:                          ['asMember',       'asMember',       'yes',        'no'    ],
  GetChannelMessage:                           ['yes',            'yes',            'yes',        'public'],
  GetChannelMessageStatus:                     ['own',            'own',            'own',        'own'   ],
  ListChannelMessages:                         ['yes',            'yes',            'yes',        'public'],
  UpdateChannelMessage:                        ['own',            'own',            'own',        'no'    ],
  RedactChannelMessage:                        ['yes',            'yes',            'own',        'no'    ],
  DeleteChannelMessage:                        ['yes',            'no',             'no',         'no'    ],
  CreateChannelModerator:                      ['yes',            'asMember',       'no',         'no'    ],
  DescribeChannelModerator:                    ['yes',            'yes',            'no',         'no'    ],
  ListChannelModerators:                       ['yes',            'yes',            'no',         'no'    ],
  DeleteChannelModerator:                      ['yes',            'yes',            'no',         'no'    ],
  CreateChannelBan:                            ['yes',            'yes',            'no',         'no'    ],
  DescribeChannelBan:                          ['yes',            'yes',            'no',         'no'    ],
  ListChannelBans:                             ['yes',            'yes',            'no',         'no'    ],
  DeleteChannelBan:                            ['yes',            'yes',            'no',         'no'    ],
  AssociateChannelFlow:                        ['yes',            'yes',            'no',         'no'    ],
  DisassociateChannelFlow:                     ['yes',            'yes',            'no',         'no'    ],
  ListSubChannels:                             ['yes',            'yes',            'no',         'no'    ],
};

/** Operations that no role allows in an elastic channel. Source: Chime SDK Developer Guide, "Understanding authorization by role". */
const NOT_ELASTIC: ReadonlySet<BearerOperation> = new Set(['UpdateChannelReadMarker', 'DescribeChannelModeratedByAppInstanceUser']);

/** Reports whether one of the roles allows the operation under these facts. Without a role the result is false. */
export function permitted(operation: BearerOperation, roles: ReadonlySet<Role>, facts: Facts): boolean {
  if (facts.elastic && NOT_ELASTIC.has(operation)) return false;
  return ROLES.some((role, i) => roles.has(role) && holds(RIGHTS[operation][i] as Right, facts));
}

function holds(right: Right, facts: Facts): boolean {
  switch (right) {
    case 'yes':
      return true;
    case 'no':
      return false;
    case 'public':
      return facts.public;
    case 'open':
      return facts.open;
    case 'self':
      return facts.self;
    case 'selfOrOpen':
      return facts.self || facts.open;
    case 'join':
      return facts.self && facts.public && facts.open;
    case 'own':
      return facts.own;
    case 'asMember':
      return facts.member;
  }
}
