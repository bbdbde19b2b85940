/** One thing that was looked at, in one sentence; what to do about it unless it is well. */
export interface Finding {
  readonly about: 'node' | 'settings' | 'folder' | 'disk' | 'ports' | 'clock' | 'cluster' | 'topics'
  readonly level: 'ok' | 'warning' | 'problem'
  readonly sentence: string
  readonly todo?: string
}

type About = Finding['about']

export function ok(about: About, sentence: string): Finding {
  return { about, level: 'ok', sentence }
}

/** It works, and may not for long or not as it should. */
export function warning(about: About, sentence: string, todo: string): Finding {
  return { about, level: 'warning', sentence, todo }
}

/** Something does not work. */
export function problem(about: About, sentence: string, todo: string): Finding {
  return { about, level: 'problem', sentence, todo }
}
