import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';

/** What a bearer is to a channel. One may be several; everybody is the last. */
export const ROLES = ['AppInstanceAdmin', 'ChannelModerator', 'Member', 'NonMember'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Whether a role permits an operation, and where only under a circumstance, under which:
 *
 * - `public`: the channel is PUBLIC
 * - `open`: its mode is UNRESTRICTED
 * - `self`: it is about the bearer
 * - `selfOrOpen`: one of the two
 * - `own`: it is about a message that the bearer sent
 * - `asMember`: the bearer is a member as well
 */
export type Right = 'yes' | 'no' | 'public' | 'open' | 'self' | 'selfOrOpen' | 'own' | 'asMember';

/** What a right may depend on. */
export interface Facts {
  readonly public: boolean;
  readonly open: boolean;
  readonly self: boolean;
  readonly own: boolean;
  readonly member: boolean;
}

/** The operations that need no bearer: developers call them, and IAM alone decides. */
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

export type BearerOperation = Exclude<keyof ChimeSdkMessagingApi, DeveloperOperation>;

/**
 * Who may do what in messaging, once IAM allows it. Requirement CHM-6.
 *
 * Source: Chime SDK Developer Guide, "Understanding authorization by role"; the guide contradicts itself and the API reference in places,
 * and these are the readings:
 * Assumed: members and moderators see the details of their own channel where it is private too: AWS's own chat demo describes the private
 * channel it made. What is restricted to public channels is what is said to those who are neither.
 * Assumed: a member deletes no message (the first of two rows; API reference, DeleteChannelMessage: "Only admins").
 * Assumed: a member ends another's membership only where he could begin it (API reference, CreateChannelMembership: a member can leave,
 * CreateChannelModerator: a moderator can remove others).
 * Assumed: a non-member asks about no membership but his own (two rows of the guide stand in each other's place).
 * Assumed: the rows of what the guide has not: batches as their single form, PutChannelExpirationSettings as UpdateChannel.
 * Source: API reference, Get- and PutChannelMembershipPreferences: of one's own membership, whatever one is besides; SearchChannels.
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
  CreateChannelMembership:                     ['yes',            'yes',            'open',       'no'    ],
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

/** Whether one of the roles permits the operation, given the facts. Who has no role at all is refused. */
export function permitted(operation: BearerOperation, roles: ReadonlySet<Role>, facts: Facts): boolean {
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
    case 'own':
      return facts.own;
    case 'asMember':
      return facts.member;
  }
}
