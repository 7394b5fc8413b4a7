export type { AgentDetails, AgentPage, Agents, RecordedRuns } from './agents.ts';
export type { ApiKey, ApiKeyPage, ApiKeys, ApiKeyWithToken } from './api-keys.ts';
export { createClient } from './client.ts';
export type { CallOptions, ClientOptions, MillraceClient, StreamOptions } from './client.ts';
export { MillraceConnectionError, MillraceError, MillraceJobError, MillraceUserError } from './errors.ts';
export type { WireError } from './errors.ts';
export type { JobChange, JobEvent, JobResult, JobResultOf, WatchOptions } from './job-streams.ts';
export type {
  Job,
  JobCounts,
  JobItemPage,
  JobPage,
  Jobs,
  JobsPreview,
  StartedJob,
  StartOptions,
} from './jobs.ts';
export type { Insights, PerformanceMetrics, Pipelines, WeeklyGrowth } from './insights.ts';
export type { Activity, ActivityApi, ActivityPage, LogActivityInput } from './activity.ts';
export type { Member, MemberPage, Members } from './members.ts';
export type { Organization, OrganizationApi } from './organization.ts';
export type {
  AdsRows,
  EmailRows,
  PanelRows,
  RevenueRows,
  SocialRows,
  SupportRows,
  TrafficRows,
} from './panel-rows.ts';
export type { BegunConnect } from './connect.ts';
export type { Connection, ConnectionDetails, ConnectionPage, Connections, Provider } from './connections.ts';
export type { DashboardChange, LiveDashboard } from './dashboard-live.ts';
export type { Queue, Queues, QueueSettings, WorkerPage } from './queues.ts';
export type { Schedule, ScheduleDetails, ScheduleJobPage, SchedulePage, Schedules } from './schedules.ts';
export type {
  Notification,
  NotificationPage,
  NotificationPreference,
  Notifications,
  ReadNotifications,
} from './notifications.ts';
export type { FetchLike, TypedOperation } from './transport.ts';
export type { StagedUpload, UploadBody, UploadFileOptions, Uploads } from './uploads.ts';
export type {
  EndpointWithSecret,
  WebhookDelivery,
  WebhookDeliveryPage,
  WebhookEndpoint,
  Webhooks,
} from './webhooks.ts';
export * from './generated/graphql.ts';
