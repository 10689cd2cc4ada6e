/** Messages that AWS does not define and that were reworded since the recording: old and new wording. */
export const REWORDED: readonly (readonly [before: string, after: string])[] = [
  [
    'Invalid media region: mars-north-1',
    "Invalid media region 'mars-north-1'. Valid: af-south-1, ap-northeast-1, ap-northeast-2, ap-south-1, ap-southeast-1, ap-southeast-2, ca-central-1, eu-central-1, eu-north-1, eu-south-1, eu-west-1, eu-west-2, eu-west-3, sa-east-1, us-east-1, us-east-2, us-west-1, us-west-2, us-gov-east-1, us-gov-west-1",
  ],
  [
    'With Video FHD or Content UHD, Attendee MaxCount must not be more than 25.',
    'Attendee MaxCount must be at most 25 with Video FHD or Content UHD.',
  ],
  [
    'The service-linked role AWSServiceRoleForAmazonChimeTranscription does not exist in this account.',
    "The service-linked role 'AWSServiceRoleForAmazonChimeTranscription' does not exist in this account.",
  ],
  ['A resource can have 50 tags.', 'A resource can have at most 50 tags.'],
  [
    'Resource arn:aws:chime:us-east-1:‹named account›:meeting/‹uuid-4› not found',
    "Resource 'arn:aws:chime:us-east-1:‹named account›:meeting/‹uuid-4›' not found",
  ],
  ['The app instance has a user with this id.', 'The app instance already has a different user with this ID.'],
  [
    'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-42›/user/ada is an administrator of the app instance.',
    "'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-42›/user/ada' is already an administrator of the app instance.",
  ],
  [
    'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-42›/user/ada is not an administrator of the app instance.',
    "'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-42›/user/ada' is not an administrator of the app instance.",
  ],
  [
    'App instance bot arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-42›/bot/‹uuid-4› not found',
    "App instance bot 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-42›/bot/‹uuid-4›' not found",
  ],
  ['The user has an endpoint with this device token.', 'The user already has an endpoint with this device token.'],
  [
    'none.amazonaws.com is not a service that has service-linked roles.',
    "Service 'none.amazonaws.com' does not have service-linked roles.",
  ],
  [
    'Channel arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel/open already exists.',
    "Channel 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel/open' already exists.",
  ],
  [
    'Channel arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel/‹uuid-4› does not exist.',
    "Channel 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel/‹uuid-4›' does not exist.",
  ],
  [
    'The filter rule is not valid: a value must be a string or a list of strings in anything-but.',
    'The filter rule is invalid: a value must be a string or a list of strings in anything-but.',
  ],
  [
    'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/user/bob is not a member of the channel.',
    "'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/user/bob' is not a member of the channel.",
  ],
  ['Message ‹hash-1› does not exist.', "Message '‹hash-1›' does not exist."],
  ['An elastic channel has no hidden memberships.', 'An elastic channel cannot have hidden members.'],
  ['Processors of a channel flow differ in ExecutionOrder.', 'Each processor of a channel flow must have a different ExecutionOrder.'],
  [
    'Channel flow arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel-flow/‹uuid-4› does not exist.',
    "Channel flow 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel-flow/‹uuid-4›' does not exist.",
  ],
  ['No message waits for the callback ‹uuid-4›.', "Callback '‹uuid-4›' does not exist."],
  [
    'Channel flow arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel-flow/‹uuid-337› is associated with a channel.',
    "Channel flow 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel-flow/‹uuid-337›' is associated with a channel.",
  ],
  [
    'Channel flow arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel-flow/‹uuid-337› does not exist.',
    "Channel flow 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel-flow/‹uuid-337›' does not exist.",
  ],
  ['Streaming configurations differ in DataType.', 'Each streaming configuration must have a different DataType.'],
  [
    'App instance arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329› has no streaming configurations.',
    "App instance 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›' does not have streaming configurations.",
  ],
  [
    'Resource arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel/‹uuid-4› does not exist.',
    "Resource 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel/‹uuid-4›' does not exist.",
  ],
  [
    'Channel arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel/open does not exist.',
    "Channel 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-329›/channel/open' does not exist.",
  ],
  ['The limit of 3 is reached for: VoiceConnector.', "The maximum of 3 is reached for the resource type 'VoiceConnector'."],
  [
    'Invalid Host: 10.0.0.5 (valid: a public host name or address, or a private one of the operator)',
    "Invalid Host '10.0.0.5' (valid: a public host name or address, or a private one of the operator)",
  ],
  ['Invalid calling region: XX', "Invalid calling region 'XX'. It must be a code of ISO 3166-1 alpha-2."],
  [
    'Invalid CIDR: nowhere (valid: a public range from /27 to /32, or a private one of the operator)',
    "Invalid CIDR 'nowhere' (valid: a public range from /27 to /32, or a private one of the operator)",
  ],
  [
    'Invalid CIDR: 0.0.0.0/0 (valid: a public range from /27 to /32, or a private one of the operator)',
    "Invalid CIDR '0.0.0.0/0' (valid: a public range from /27 to /32, or a private one of the operator)",
  ],
  ['CpsLimit must not be more than 1.', 'CpsLimit must be at most 1.'],
  ['Duplicate notification target: SQS', "Duplicate NotificationTarget 'SQS'"],
  ['VoiceConnector ‹connector-1› has no StreamingConfiguration.', "VoiceConnector '‹connector-1›' does not have StreamingConfiguration."],
  ['Duplicate Voice Connector: ‹connector-2›', "Duplicate Voice Connector '‹connector-2›'"],
  ['Voice Connector ‹connector-2› is in a Voice Connector group.', "Voice Connector '‹connector-2›' is in a Voice Connector group."],
  ['Voice Connector group ‹uuid-341› has Voice Connectors.', "Voice Connector group '‹uuid-341›' still has Voice Connectors."],
  [
    'Resource arn:aws:chime:us-east-1:‹named account›:vc/‹connector-4› not found.',
    "Resource 'arn:aws:chime:us-east-1:‹named account›:vc/‹connector-4›' not found.",
  ],
  ['A SIP media application has the name menu already.', "A SIP media application with the name 'menu' already exists."],
  [
    'Invalid AWS Region: mars-north-1',
    "Invalid AwsRegion 'mars-north-1'. Valid: us-east-1, us-west-2, ca-central-1, eu-central-1, eu-west-1, eu-west-2, ap-northeast-2, ap-northeast-1, ap-southeast-1, ap-southeast-2",
  ],
  [
    'The Lambda function of an endpoint must be in us-west-2.',
    "The Lambda function of an endpoint must be in 'us-west-2', the region of the application.",
  ],
  ['A SIP rule has this trigger already.', 'A SIP rule with this trigger already exists.'],
  [
    'Not the outbound host name of a Voice Connector: none.example.org',
    "Invalid host name 'none.example.org'. It must be the outbound host name of a Voice Connector.",
  ],
  ['SIP media application ‹uuid-342› is not in eu-central-1.', "SIP media application '‹uuid-342›' is not in 'eu-central-1'."],
  [
    'SIP rule ‹uuid-343› is enabled and has SIP media application ‹uuid-342›.',
    "SIP rule '‹uuid-343›' is enabled and has the SIP media application '‹uuid-342›' as a target.",
  ],
  [
    'A media insights pipeline configuration with the name insights already exists.',
    "A media insights pipeline configuration with the name 'insights' already exists.",
  ],
  [
    'The role arn:aws:iam::‹named account›:role/Elsewhere cannot be assumed by mediapipelines.chime.amazonaws.com.',
    "mediapipelines.chime.amazonaws.com cannot assume the role 'arn:aws:iam::‹named account›:role/Elsewhere'.",
  ],
  [
    'The role arn:aws:iam::‹named account›:role/Insightss cannot be assumed by mediapipelines.chime.amazonaws.com.',
    "mediapipelines.chime.amazonaws.com cannot assume the role 'arn:aws:iam::‹named account›:role/Insightss'.",
  ],
  ['Elements must not have LambdaFunctionSink twice.', "Elements must contain 'LambdaFunctionSink' at most once."],
  ['Media insights pipeline configuration none not found', "Media insights pipeline configuration 'none' not found"],
  [
    'Resource arn:aws:chime:us-east-1:‹named account›:media-insights-pipeline-configuration/insightss not found',
    "Resource 'arn:aws:chime:us-east-1:‹named account›:media-insights-pipeline-configuration/insightss' not found",
  ],
  ['Media insights pipeline configuration insights not found', "Media insights pipeline configuration 'insights' not found"],
  [
    'App instance bot arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-422›/bot/robot not found',
    "App instance bot 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-422›/bot/robot' not found",
  ],
  [
    'Invalid media region: Zoë & <b>\\"quoted\\"</b> 100% a+b=c;d/e?f#g 😀',
    'Invalid media region \'Zoë & <b>\\"quoted\\"</b> 100% a+b=c;d/e?f#g 😀\'. Valid: af-south-1, ap-northeast-1, ap-northeast-2, ap-south-1, ap-southeast-1, ap-southeast-2, ca-central-1, eu-central-1, eu-north-1, eu-south-1, eu-west-1, eu-west-2, eu-west-3, sa-east-1, us-east-1, us-east-2, us-west-1, us-west-2, us-gov-east-1, us-gov-west-1',
  ],
  [
    'Resource arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-422›/user/alice not found',
    "Resource 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-422›/user/alice' not found",
  ],
  [
    'No message waits for the callback Zoë & <b>\\"quoted\\"</b> 100% a+b=c;d/e?f#g 😀.',
    'Callback \'Zoë & <b>\\"quoted\\"</b> 100% a+b=c;d/e?f#g 😀\' does not exist.',
  ],
  ['No message waits for the callback ‹uuid-449›.', "Callback '‹uuid-449›' does not exist."],
  [
    'App instance arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-422› does not exist.',
    "App instance 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-422›' does not exist.",
  ],
  [
    'Channel flow arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-422›/channel-flow/filter does not exist.',
    "Channel flow 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-422›/channel-flow/filter' does not exist.",
  ],
  [
    'Resource arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-422›/user/alice does not exist.',
    "Resource 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-422›/user/alice' does not exist.",
  ],
  [
    'Media insights pipeline configuration arn:aws:chime:us-east-1:‹named account›:media-insights-pipeline-configuration/insights not found',
    "Media insights pipeline configuration 'arn:aws:chime:us-east-1:‹named account›:media-insights-pipeline-configuration/insights' not found",
  ],
  [
    'Invalid AWS Region: Zoë & <b>\\"quoted\\"</b> 100% a+b=c;d/e?f#g 😀',
    'Invalid AwsRegion \'Zoë & <b>\\"quoted\\"</b> 100% a+b=c;d/e?f#g 😀\'. Valid: us-east-1, us-west-2, ca-central-1, eu-central-1, eu-west-1, eu-west-2, ap-northeast-2, ap-northeast-1, ap-southeast-1, ap-southeast-2',
  ],
  [
    'Not a phone number in E.164 format: Zoë & <b>\\"quoted\\"</b> 100% a+b=c;d/e?f#g 😀',
    'Invalid phone number \'Zoë & <b>\\"quoted\\"</b> 100% a+b=c;d/e?f#g 😀\'. It must be in E.164 format.',
  ],
  ['Not a phone number in E.164 format: \\u0001', "Invalid phone number '\\u0001'. It must be in E.164 format."],
  [
    'Resource arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-422›/user/alice not found.',
    "Resource 'arn:aws:chime:us-east-1:‹named account›:app-instance/‹uuid-422›/user/alice' not found.",
  ],
  ['Encrypted SAML assertions are not supported by Belfry.', 'Belfry does not support encrypted SAML assertions.'],
  ['a+b=c,d.e@f-g is not a service that has service-linked roles.', "Service 'a+b=c,d.e@f-g' does not have service-linked roles."],
];
