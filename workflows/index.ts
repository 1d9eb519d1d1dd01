export { agentJob } from './agent-job.ts';
export { voiceTask } from './voice-task.ts';
