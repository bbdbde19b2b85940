import pc from 'picocolors'

/** Colours are for a terminal only: a program that reads the output, a log or a CI job gets plain text. */
function colorsFor(stream: NodeJS.WriteStream) {
  const isWanted = stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === ''
  return pc.createColors(isWanted)
}

export const outColors = colorsFor(process.stdout)
export const errorColors = colorsFor(process.stderr)
