#!/usr/bin/env escript
%%! -noinput
%% Starts and stops children of a supervisor, and crashes one again and again; prints the
%% microseconds that each took for all lives together. Compiled, as a program would be.
-mode(compile).
-behaviour(supervisor).
-export([main/1, init/1, start_worker/0, worker/1]).

main([Text]) ->
    Lives = list_to_integer(Text),
    process_flag(trap_exit, true),
    logger:set_primary_config(level, none),
    {ok, Dynamic} = supervisor:start_link(?MODULE, dynamic),
    {ok, Static} = supervisor:start_link(?MODULE, static),
    %% Once for the warm-up.
    _ = {lives(Dynamic, Lives div 10), crashes(Static, Lives div 10)},
    {Starts, _} = timer:tc(fun() -> lives(Dynamic, Lives) end),
    {Crashes, _} = timer:tc(fun() -> crashes(Static, Lives) end),
    io:format("~p ~p~n", [Starts, Crashes]).

init(dynamic) ->
    {ok, {#{strategy => simple_one_for_one}, [child()]}};
init(static) ->
    {ok, {#{strategy => one_for_one, intensity => 1 bsl 30, period => 1}, [child()]}}.

child() ->
    #{id => worker, start => {?MODULE, start_worker, []}, shutdown => 5000}.

start_worker() ->
    proc_lib:start_link(?MODULE, worker, [self()]).

worker(Parent) ->
    register_if_alone(),
    proc_lib:init_ack(Parent, {ok, self()}),
    receive
        fail -> exit(asked_to);
        stop -> ok
    end.

%% Tells the one who waits for the next life, if there is one.
register_if_alone() ->
    case whereis(waiter) of
        undefined -> ok;
        Waiter -> Waiter ! {up, self()}
    end.

lives(_, 0) -> ok;
lives(Supervisor, Left) ->
    {ok, Worker} = supervisor:start_child(Supervisor, []),
    ok = supervisor:terminate_child(Supervisor, Worker),
    lives(Supervisor, Left - 1).

crashes(Supervisor, Lives) ->
    register(waiter, self()),
    [{worker, Worker, _, _}] = supervisor:which_children(Supervisor),
    crash(Worker, Lives),
    unregister(waiter).

crash(_, 0) -> ok;
crash(Worker, Left) ->
    Worker ! fail,
    receive {up, Next} -> crash(Next, Left - 1) end.
