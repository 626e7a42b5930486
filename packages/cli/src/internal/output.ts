/** Stdout and stderr of the process. A reader that has gone away is no error, and nothing is cut off at the end. */

/** Whole lines; dropped once the reader is gone, which `onGone` is told. */
export const writer = (stream: NodeJS.WriteStream, onGone?: () => void): ((text: string) => void) => {
  let gone = false
  stream.on("error", () => {
    gone = true
    onGone?.()
  })
  return (text) => {
    if (!gone && text !== "") stream.write(text)
  }
}
