/** How a run is shown while it goes on: as a live picture in a terminal, else as lines for people or for programs. */
import type { RunEvent } from "@contextfs/core/Orchestrator"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Scope } from "effect/Scope"
import type { Screen, Session } from "../Session.js"
import { json } from "./clean.js"
import { style, width } from "./layout.js"
import { endingNote, render } from "./liveView.js"
import { erase, height, repaint } from "./painter.js"
import * as runLines from "./runLines.js"
import type { RunRecord } from "./runRecord.js"

export type Format = "lines" | "json" | "jsonl"

interface View {
  /** `run`: what is known with this event. */
  readonly event: (event: RunEvent, run: RunRecord | undefined) => void
  /** The agents are about to be ended. */
  readonly ending: () => void
}

/** Gone from the screen when the scope closes. */
export const open = (session: Session, format: Format): Effect.Effect<View, never, Scope> => {
  if (format === "json")
    return Effect.succeed({ event: (event) => warnOfHeld(session, event), ending: () => undefined })
  if (format === "jsonl") {
    return Effect.succeed({ event: (event) => session.print(`${json(event)}\n`), ending: () => undefined })
  }
  const { screen } = session.stdout
  return screen === undefined ? Effect.succeed(plain(session)) : live(session, screen)
}

/** Of a run that is held its one document would tell nothing until it has ended. */
const warnOfHeld = (session: Session, event: RunEvent): void => {
  if (event.kind === "held") session.warn(`warning: ${runLines.heldText(event)}`)
}

const plain = (session: Session): View => {
  let state = runLines.initial
  const options = { style: style(session.stdout.colour), columns: Math.min(session.stdout.columns, 200) }
  return {
    event: (event) => {
      const [next, lines] = runLines.step(state, event, options)
      state = next
      for (const line of lines) session.print(`${line}\n`)
    },
    ending: () => session.note(endingNote)
  }
}

/** Five pictures a second at most: what an agent does in between is not worth a look. */
const pace = "200 millis"

const live = (session: Session, screen: Screen): Effect.Effect<View, never, Scope> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const look = style(session.stdout.colour)
    let run: RunRecord | undefined
    let ending = false
    let picture: ReadonlyArray<string> = []
    const draw = () => {
      if (run === undefined || !screen.ready()) return
      const { columns, rows } = screen.size()
      const now = clock.unsafeCurrentTimeMillis()
      const next = render(run, { columns, rows: Math.max(1, rows - 1), now, style: look, ending })
      session.print(repaint(picture, next))
      picture = next
    }
    const remove = () => {
      session.print(erase(height(picture.map(width), screen.size().columns)))
      picture = []
    }
    yield* Effect.acquireRelease(
      Effect.sync(() =>
        screen.onChange((what) => {
          // After a pause the screen is the shell's: a new picture goes below what it has written.
          if (what === "resized") remove()
          picture = []
          draw()
        })
      ),
      (off) =>
        Effect.sync(() => {
          off()
          remove()
        })
    )
    yield* Effect.sync(draw).pipe(Effect.repeat(Schedule.spaced(pace)), Effect.forkScoped)
    return {
      event: (_, known) => {
        run = known
      },
      ending: () => {
        ending = true
        draw()
      }
    }
  })
