import type { ToolSet } from '../contracts/agent.ts';

/**
 * A tool as the model is told of it. `native` names a provider's own tool type; an adapter whose provider has no such
 * type offers the JSON Schema as a plain function instead.
 */
export interface ToolDefinition {
  name: string;
  native: 'text_editor' | 'bash' | 'computer' | null;
  description: string;
  inputSchema: Record<string, unknown>;
}

const object = (properties: Record<string, unknown>, required: string[]): Record<string, unknown> => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const text = (description: string): Record<string, unknown> => ({ type: 'string', description });

/** Every tool set an agent file may name. The environments execute exactly these names. */
export const TOOL_DEFINITIONS: Record<ToolSet, ToolDefinition[]> = {
  editor: [
    {
      name: 'str_replace_based_edit_tool',
      native: 'text_editor',
      description: 'View, create and edit files of the workspace. Paths are relative to the workspace.',
      inputSchema: object(
        {
          command: { type: 'string', enum: ['view', 'create', 'str_replace', 'insert'] },
          path: text('File or directory, relative to the workspace.'),
          view_range: {
            type: 'array',
            items: { type: 'integer' },
            description: '[first, last], from 1; last -1: to the end.',
          },
          file_text: text('Whole content, for create.'),
          old_str: text('Text to replace; must occur exactly once.'),
          new_str: text('Replacement, for str_replace.'),
          insert_line: { type: 'integer', description: 'Insert after this line; 0: at the top.' },
          insert_text: text('Text to insert.'),
        },
        ['command', 'path'],
      ),
    },
  ],
  bash: [
    {
      name: 'bash',
      native: 'bash',
      description:
        'Run a command in the workspace, without network, with time and output limits. Each call is a new shell.',
      inputSchema: object(
        {
          command: text('The command.'),
          restart: { type: 'boolean', description: 'Ignored: each call is a new shell.' },
        },
        [],
      ),
    },
  ],
  search: [
    {
      name: 'search',
      native: null,
      description:
        'Find a literal string in the files of the workspace that git knows. Answers path:line:text, at most 200 lines.',
      inputSchema: object({ text: text('The string to find.'), path: text('Only below this path.') }, ['text']),
    },
  ],
  report: [
    {
      name: 'report',
      native: null,
      description: 'Say what was done and found, and finish. Call it alone, as the last thing.',
      inputSchema: object({ text: text('The report, in Markdown, for the person who asked.') }, ['text']),
    },
  ],
  computer: [
    {
      name: 'computer',
      native: 'computer',
      description: 'See and operate the browser page on a grid of 0-999.',
      inputSchema: object({}, []),
    },
  ],
  page: [
    {
      name: 'page_report',
      native: null,
      description:
        'What a screenshot does not show: title, address, headings, links, forms, images without text or broken, console errors, failed requests since the page was opened.',
      inputSchema: object({}, []),
    },
    {
      name: 'select_option',
      native: null,
      description: 'Choose an option of a native drop-down list, which screenshots do not show.',
      inputSchema: object(
        { label: text('Label or name of the list.'), option: text('Visible text or value of the option.') },
        ['label', 'option'],
      ),
    },
  ],
};
