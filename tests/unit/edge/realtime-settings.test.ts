import { describe, expect, it } from '@jest/globals';
import { FUNCTION_TOOLS } from '../../../edge/conversation-tools.ts';
import { conversationSettings, transcriptionSettings } from '../../../edge/realtime-settings.ts';
import models from '../../../platform/models.json' with { type: 'json' };

describe('settings of a session', () => {
  it('with the shipped models: turns found here', () => {
    expect(transcriptionSettings({ transcriptionModel: models.transcription.name, turns: 'local' })).toEqual({
      type: 'transcription',
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24_000 },
          transcription: { model: 'gpt-live-transcribe' },
          turn_detection: null,
        },
      },
    });
  });

  it('turns found by the service: no answers of its own, and not by models that stream', () => {
    const settings = transcriptionSettings({ transcriptionModel: models.transcription.server_turns, turns: 'server' });
    expect(settings.audio.input.turn_detection).toMatchObject({
      type: 'server_vad',
      create_response: false,
      interrupt_response: false,
    });
    for (const transcriptionModel of ['gpt-live-transcribe', 'gpt-realtime-whisper', 'gpt-live-transcribe-2026-10-01'])
      expect(() => transcriptionSettings({ transcriptionModel, turns: 'server' })).toThrow('TRANSCRIPTION_MODEL');
  });

  it('hints go to models that take them, and only if there are any', () => {
    const hints = { languages: ['en'], keywords: ['staging'], turns: 'local' as const };
    const of = (transcriptionModel: string, more: object = hints): unknown =>
      transcriptionSettings({ transcriptionModel, turns: 'local', ...more }).audio.input.transcription;
    expect(of('gpt-live-transcribe')).toEqual({
      model: 'gpt-live-transcribe',
      languages: ['en'],
      keywords: ['staging'],
    });
    expect(of('gpt-realtime-whisper')).toEqual({ model: 'gpt-realtime-whisper' });
    expect(of('gpt-live-transcribe', { languages: [], keywords: [] })).toEqual({ model: 'gpt-live-transcribe' });
  });

  it('a conversation speaks, may call, and never finds turns by itself', () => {
    const settings = conversationSettings({
      transcriptionModel: 'gpt-live-transcribe',
      instructions: 'Be short.',
      voice: 'marin',
      tools: [...FUNCTION_TOOLS],
    });
    expect(settings).toMatchObject({
      type: 'realtime',
      instructions: 'Be short.',
      output_modalities: ['audio'],
      audio: { input: { turn_detection: null }, output: { voice: 'marin', format: { rate: 24_000 } } },
      tool_choice: 'auto',
    });
  });
});
