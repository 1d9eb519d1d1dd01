import type { Client } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import proto from '@temporalio/proto';

const { PENDING_ACTIVITY_STATE_STARTED } = proto.temporal.api.enums.v1.PendingActivityState;

/** The id of the activity of this type that a worker is at work on now, as the server knows it. */
export const startedActivity = async (
  client: Client,
  workflowId: string,
  type: string,
): Promise<string | undefined> => {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  return (
    raw.pendingActivities?.find(
      (activity) => activity.activityType?.name === type && activity.state === PENDING_ACTIVITY_STATE_STARTED,
    )?.activityId ?? undefined
  );
};

/** One activity of a closed workflow: which attempt was the last, and how that ended. */
export interface ActivityEnd {
  type: string;
  activityId: string;
  attempt: number;
  end: 'completed' | 'failed' | 'timed out' | 'cancelled' | 'open';
  failure: string | null;
}

const endedBy = (event: NonNullable<History['events']>[number]) =>
  event.activityTaskCompletedEventAttributes ??
  event.activityTaskFailedEventAttributes ??
  event.activityTaskTimedOutEventAttributes ??
  event.activityTaskCanceledEventAttributes;

/** Every activity of a workflow's (last) run, in the order it was scheduled. */
export const activitiesOf = async (client: Client, workflowId: string): Promise<ActivityEnd[]> => {
  const events = (await client.workflow.getHandle(workflowId).fetchHistory()).events ?? [];
  return events.flatMap((scheduled) => {
    const about = scheduled.activityTaskScheduledEventAttributes;
    if (!about) return [];
    const same = (id: unknown): boolean => String(id) === String(scheduled.eventId);
    const started = events.find((event) => same(event.activityTaskStartedEventAttributes?.scheduledEventId));
    const ended = events.find((event) => same(endedBy(event)?.scheduledEventId));
    return {
      type: about.activityType?.name ?? '',
      activityId: about.activityId ?? '',
      attempt: started?.activityTaskStartedEventAttributes?.attempt ?? 0,
      end: !ended
        ? 'open'
        : ended.activityTaskCompletedEventAttributes
          ? 'completed'
          : ended.activityTaskFailedEventAttributes
            ? 'failed'
            : ended.activityTaskTimedOutEventAttributes
              ? 'timed out'
              : 'cancelled',
      failure:
        ended?.activityTaskFailedEventAttributes?.failure?.applicationFailureInfo?.type ??
        ended?.activityTaskTimedOutEventAttributes?.failure?.message ??
        null,
    };
  });
};
