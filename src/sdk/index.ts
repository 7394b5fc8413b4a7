export { createClient } from './client.ts';
export type { CallOptions, ClientOptions, MillraceClient, StreamOptions } from './client.ts';
export { MillraceConnectionError, MillraceError, MillraceUserError } from './errors.ts';
export type {
  Job,
  JobChange,
  JobEvent,
  JobItemPage,
  JobPage,
  Jobs,
  StartedJob,
  StartOptions,
  WatchOptions,
} from './jobs.ts';
export type { Queue, Queues, QueueSettings, WorkerPage } from './queues.ts';
export type { Schedule, ScheduleDetails, ScheduleJobPage, SchedulePage, Schedules } from './schedules.ts';
export type {
  Notification,
  NotificationPage,
  NotificationPreference,
  Notifications,
  ReadNotifications,
} from './notifications.ts';
export type { TypedOperation } from './transport.ts';
export type { StagedUpload, UploadBody, UploadFileOptions, Uploads } from './uploads.ts';
export type { EndpointWithSecret, WebhookDelivery, WebhookEndpoint, Webhooks } from './webhooks.ts';
export * from './generated/graphql.ts';
