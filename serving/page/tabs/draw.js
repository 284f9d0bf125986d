() => {
    // What the Draw tab does in the browser by itself: live answers, keys, and what a screen reader says.
    // Handlers are properties: should Gradio load the page's events again, they are not doubled.
    const tab = document.querySelector("#draw-tab");
    const press = button => tab.querySelector(button).click();
    const isLive = () => tab.querySelector("#live input").checked;

    // A stroke is answered once the pen rests. The answer is wanted no longer when the drawing is submitted or emptied,
    // which begins another turn.
    const REST = 250;  // ms: at four requests an answer below 960 a minute, of DEMO_RATE_LIMIT_PAGE's 1200
    let resting, turn = 0, pressed = 0, asked = 0;
    const answer = () => {
        clearTimeout(resting);
        resting = setTimeout(() => isLive() && press("#answer-live"), REST);
    };
    tab.live = {
        ask: () => (asked = pressed) === turn,
        isWanted: () => asked === turn,
        drop: () => {
            clearTimeout(resting);
            turn += 1;
        },
    };
    tab.onclick = event => {
        if (event.target.closest("#answer-live")) pressed = turn;
        else if (event.target.closest("#submit, .examples, #upload, #last-answers li button")) tab.live.drop();
        const chosen = event.target.closest("#last-answers li button");
        if (!chosen) return;
        tab.querySelector("#last-answers").dataset.place = chosen.dataset.place;
        press("#show-again");
    };

    tab.onpointerdown = event => {
        if (!event.target.closest(".pad")) return;
        clearTimeout(resting);
        document.activeElement.blur();  // Enter would press the button that was pressed last, Clear perhaps
        document.addEventListener("pointerup", answer, {once: true});
    };
    const visible = selector => [...tab.querySelectorAll(selector)].filter(button => button.offsetParent);
    const undone = event => {
        if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
        const key = event.key.toLowerCase();
        return key === "y" || (key === "z" && event.shiftKey) ? "Redo" : key === "z" ? "Undo" : null;
    };
    document.body.onkeydown = event => {
        const isText = event.target.closest("textarea, [contenteditable], input:not([type=checkbox])");
        if (isText || tab.offsetParent === null) return;
        const step = undone(event);
        if (step) {
            visible(`.pad [aria-label="${step}"]`).forEach(button => button.click());
            return answer();
        }
        if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
        if (["Escape", "Delete"].includes(event.key)) press("#clear");
        else if (event.key !== "Enter") visible(".feedback .class").find(each => each.innerText === event.key)?.click();
        else if (!event.target.closest("button, a, [role]")) press("#submit");
    };

    const spoken = document.createElement("p");
    spoken.role = "status";
    tab.append(spoken);
    const words = () => [...tab.querySelectorAll(".answer h2, .verdict p")].map(part => part.innerText).join(". ");
    let pause;
    const say = () => {
        clearTimeout(pause);  // once the pen rests
        pause = setTimeout(() => spoken.textContent === words() || (spoken.textContent = words()), 1000);
    };
    // The whole tab, since the answer may not be there yet.
    new MutationObserver(say).observe(tab, {subtree: true, childList: true, characterData: true});
}
