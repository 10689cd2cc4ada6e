import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';

/** Roles of a bearer in a channel. A bearer can have several roles. Every bearer that is not banned, even a member, has `NonMember`. */
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

/** Facts about a request, on which the conditions of `Right` depend. */
export interface Facts {
  readonly public: boolean;
  readonly open: boolean;
  readonly elastic: boolean;
  readonly self: boolean;
  readonly own: boolean;
  readonly member: boolean;
}

/** Operations without a bearer, for application developers. IAM policies alone authorize these operations. */
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
 * Source: Chime SDK Developer Guide, "Understanding authorization by role". In some places the guide contradicts itself
 * and the API reference.
 * Assumed: members and moderators see the details of their private channels, because AWS's chat demo calls
 * DescribeChannel for a private channel that it created. The restriction to public channels applies only to other
 * bearers.
 * Assumed: a member cannot delete messages. The guide has two rows for this operation, and the first row applies. The
 * API reference, DeleteChannelMessage, also says "Only admins".
 * Assumed: a member can delete another user's membership only in channels to which the member can add users. The
 * API reference says that a member can leave (CreateChannelMembership), and that a moderator can remove other members
 * (CreateChannelModerator).
 * Assumed: a non-member can describe only its own membership. Two rows of the guide are interchanged.
 * Assumed: a user can add itself to a channel that is PUBLIC and UNRESTRICTED. The guide denies CreateChannelMembership
 * to non-members. But AWS's chat demo offers "Join Channel" to non-members, and its request has the non-member as
 * bearer and as member (aws-samples/amazon-chime-sdk, apps/chat, `joinChannel`). The API reference, CreateChannel,
 * Mode, says that members can add themselves to unrestricted channels.
 * Assumed: an operation that the guide omits has the rights of a similar operation. A batch operation has the rights of
 * the operation for one item, and PutChannelExpirationSettings has the rights of UpdateChannel.
 * Source: API reference, GetChannelMembershipPreferences, PutChannelMembershipPreferences: in every role, a bearer can
 * use these operations only for its own membership. API reference, SearchChannels.
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
